//! What a case is: something asked of a server, and what a server should say to it, on one line.

use crate::call::Call;
use crate::play::Play;

#[derive(Debug)]
pub(crate) struct Case {
    /// What holds for a server that passes.
    pub(crate) name: String,
    pub(crate) ask: Ask,
    want: String,
    differences: Vec<Difference>,
}

#[derive(Debug)]
pub(crate) enum Ask {
    /// A call, in every protocol, over every version of HTTP.
    Call(Call),
    /// Bytes on one connection.
    Play(Play),
}

/// Where a server says something else.
#[derive(Debug)]
struct Difference {
    server: Server,
    /// Words of a label; all labels if there is none.
    label: &'static str,
    says: String,
}

impl Case {
    pub(crate) fn new(name: impl Into<String>, ask: Ask) -> Self {
        Self { name: name.into(), ask, want: String::new(), differences: Vec::new() }
    }

    /// What a server says that does it well.
    pub(crate) fn want(mut self, says: impl Into<String>) -> Self {
        self.want = says.into();
        self
    }

    /// What our server says in its place, and why.
    pub(crate) fn ringwire(self, says: impl Into<String>, why: &'static str) -> Self {
        self.differs(Server::Ringwire, "", says, why)
    }

    /// What connect-go says in its place, and why.
    pub(crate) fn connect_go(self, says: impl Into<String>, why: &'static str) -> Self {
        self.connect_go_where("", says, why)
    }

    /// The same for those labels that hold these words, such as `grpc http2`. What is said first counts.
    pub(crate) fn connect_go_where(
        self,
        label: &'static str,
        says: impl Into<String>,
        why: &'static str,
    ) -> Self {
        self.differs(Server::ConnectGo, label, says, why)
    }

    fn differs(mut self, server: Server, label: &'static str, says: impl Into<String>, why: &str) -> Self {
        assert!(!why.is_empty(), "{}: a difference has a reason", self.name);
        self.differences.push(Difference { server, label, says: says.into() });
        self
    }

    /// What this server says to what has this label.
    pub(crate) fn expected(&self, server: Server, label: &str) -> &str {
        let differs = |difference: &&Difference| {
            let mut words = difference.label.split(' ').filter(|word| !word.is_empty());
            difference.server == server && words.all(|word| label.split(' ').any(|other| other == word))
        };
        self.differences.iter().find(differs).map_or(&self.want, |found| &found.says)
    }
}

/// Whose server it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Server {
    /// Ours.
    Ringwire,
    /// The suite's own reference: for calibration.
    ConnectGo,
}
