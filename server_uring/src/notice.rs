//! The few things that a server has to say to whoever runs it.

use std::fmt;
use std::io;
use std::time::Duration;

/// Something that an operator should know. By default it is a warning of the `tracing` crate, or a line on standard error
/// where no subscriber of that crate is set; [`Server::notices`](crate::Server::notices) takes it instead.
#[derive(Debug)]
#[non_exhaustive]
pub enum Notice {
    /// The kernel does not give what the io_uring driver needs, so the server runs on readiness (epoll, kqueue).
    NoRing {
        /// The refusal.
        error: io::Error,
        /// What to change.
        remedy: String,
    },
    /// A handler keeps its shard from serving anything else: it blocks, or computes without a pause.
    Blocked {
        /// The number of the shard.
        shard: usize,
        /// The procedure whose handler ran last, if it was one of a router.
        procedure: Option<String>,
        /// The time since the shard last looked at its sockets.
        since: Duration,
    },
    /// Connections cannot be accepted at the moment. Each shard tells it once a minute at most.
    AcceptFailed {
        /// The refusal, such as too many open files.
        error: io::Error,
    },
}

impl Notice {
    pub(crate) fn no_ring(error: io::Error) -> Self {
        let remedy = remedy(&error);
        Self::NoRing { error, remedy }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRing { error, remedy } => {
                write!(f, "io_uring cannot be used ({error}), so the server runs on readiness; {remedy}")
            }
            Self::Blocked { shard, procedure, since } => {
                let who = procedure.as_deref().unwrap_or("a handler");
                write!(
                    f,
                    "shard {shard} has been blocked for {since:?} by {who}; move blocking work to spawn_blocking"
                )
            }
            Self::AcceptFailed { error } => {
                write!(f, "connections cannot be accepted ({error}); trying again")
            }
        }
    }
}

fn remedy(error: &io::Error) -> String {
    let disabled = std::fs::read_to_string("/proc/sys/kernel/io_uring_disabled").unwrap_or_default();
    match (error.kind(), disabled.trim()) {
        (io::ErrorKind::PermissionDenied, value @ ("1" | "2")) => {
            format!("the sysctl kernel.io_uring_disabled is {value}: set it to 0 to allow it")
        }
        (io::ErrorKind::PermissionDenied, _) => {
            "allow io_uring_setup, io_uring_enter and io_uring_register in the seccomp profile of the container".to_owned()
        }
        (io::ErrorKind::OutOfMemory, _) => "raise the limit of locked memory (ulimit -l)".to_owned(),
        _ => "it needs Linux 6.1 or newer".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_with_its_remedy() {
        let notice = Notice::no_ring(io::Error::from_raw_os_error(38));
        let text = notice.to_string();
        assert!(text.contains("readiness") && text.contains("Linux 6.1"), "{text}");
    }

    #[test]
    fn a_blocking_handler_is_named() {
        let notice =
            Notice::Blocked { shard: 3, procedure: Some("/a.B/C".to_owned()), since: Duration::from_secs(2) };
        assert_eq!(
            notice.to_string(),
            "shard 3 has been blocked for 2s by /a.B/C; move blocking work to spawn_blocking"
        );
    }
}
