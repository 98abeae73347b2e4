//! Transcripts: text files that say what goes into a machine and what comes out.
//!
//! ```text
//! # A comment. A blank line means nothing either.
//! == one greeting                      a case, run by a machine of its own
//! ! request POST /greet HTTP/2         a command: whatever the machine understands
//! | content-type: application/proto    more of the command
//! > 0a 03 "Ada" end                    bytes into the machine; "end": no more of them follow
//! * message 0a 03 "Ada"                an event that the machine reports
//! < 00*4 05 "hello"                    bytes out of the machine
//! ```
//!
//! Bytes are text in quotes (`\n`, `\r`, `\t`, `\"`, `\\`, `\x7f`) or pairs of hex digits, either repeated by `*1000`;
//! lines of one kind that follow one another are joined. `<` and `*` lines belong to the command or the bytes above.
//!
//! [`check`] runs every case whole, then with its input cut in every way that [`chop::ways`](crate::chop::ways) knows, and
//! expects the same each time; then it ends the input early at every place and asks the machine, by [`Machine::cut`],
//! whether it noticed. With `RINGWIRE_UPDATE=1` it first writes what came out into the files, and leaves the rest of
//! them as it is: read the difference before you keep it.

use std::{fmt::Display, path::PathBuf};

mod diff;
mod file;
pub mod notation;
mod run;

/// What a transcript drives: anything that eats bytes and commands, and says bytes and events.
pub trait Machine {
    /// Takes a command; an `Err` says what is wrong with it.
    fn command(&mut self, command: &Command<'_>, said: &mut Said) -> Result<(), String>;

    /// Takes bytes, perhaps none; after `end` there will be no more.
    fn input(&mut self, bytes: &[u8], end: bool, said: &mut Said);

    /// Judges the machine after an input that ended too early: an `Err` says what it did wrong.
    fn cut(&mut self, said: &mut Said) -> Result<(), String> {
        let _ = said;
        Ok(())
    }
}

/// A line that begins with `!`, and the `|` lines below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command<'a> {
    /// The first word.
    pub name: &'a str,
    /// What follows it on the line.
    pub args: &'a str,
    /// The `|` lines.
    pub block: Vec<&'a str>,
}

impl<'a> Command<'a> {
    /// The `|` lines as fields: a name, a colon, a value.
    pub fn fields(&self) -> Result<Vec<(&'a str, &'a str)>, String> {
        let field = |line: &&'a str| {
            let (name, value) = line.split_once(':').ok_or_else(|| format!("{line:?} is no field"))?;
            Ok((name.trim(), value.trim()))
        };
        self.block.iter().map(field).collect()
    }

    /// The same, owned, as HTTP has them.
    pub fn owned_fields(&self) -> Result<Vec<(String, Vec<u8>)>, String> {
        let fields = self.fields()?;
        Ok(fields.into_iter().map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).collect())
    }

    /// The bytes that the arguments stand for.
    pub fn bytes(&self) -> Result<Vec<u8>, String> {
        notation::parse(self.args)
    }
}

/// What a machine said, in order. Bytes that follow one another are one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Bytes(Vec<u8>),
    Event(String),
}

impl Said {
    /// Says bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        match self.parts.last_mut() {
            _ if bytes.is_empty() => {}
            Some(Part::Bytes(before)) => before.extend_from_slice(bytes),
            Some(Part::Event(_)) | None => self.parts.push(Part::Bytes(bytes.to_vec())),
        }
    }

    /// Says an event, which is one line; bytes in it are best written by [`notation::write`].
    pub fn event(&mut self, event: impl Display) {
        let line = event.to_string().replace('\n', "\\n").replace('\r', "\\r");
        self.parts.push(Part::Event(line.trim().to_owned()));
    }

    fn lines(&self) -> Vec<String> {
        let line = |part: &Part| match part {
            Part::Bytes(bytes) => notation::lines(bytes).iter().map(|line| format!("< {line}")).collect(),
            Part::Event(event) => vec![format!("* {event}").trim_end().to_owned()],
        };
        self.parts.iter().flat_map(line).collect()
    }
}

/// Runs every `.txt` file in `folder` of `package`, and rewrites them first if `RINGWIRE_UPDATE` is `1`.
///
/// `package` is the path from the root of the workspace to the package whose test this is. Works under Cargo, whose tests
/// begin in the package, and under Bazel, whose tests begin in the root and find what their `data` names;
/// `bazel run`, which can update, says where the sources are.
///
/// # Panics
/// If a case fails, with all that differs and where; or if there is no file.
pub fn check<M: Machine>(package: &str, folder: &str, machine: impl Fn() -> M) {
    let folder = crate::find(package, folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a folder that was opened can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} holds no transcript", folder.display());
    let update = std::env::var_os("RINGWIRE_UPDATE").is_some_and(|value| value == "1");
    let mut failures = Vec::new();
    for path in files {
        let shown = path.display().to_string();
        let mut text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{shown}: {error}"));
        if update {
            let updated = run::updated(&shown, &text, &machine).unwrap_or_else(|failure| panic!("{failure}"));
            if updated != text {
                std::fs::write(&path, &updated).unwrap_or_else(|error| panic!("{shown}: {error}"));
                text = updated;
            }
        }
        failures.extend(run::failures(&shown, &text, &machine));
    }
    fail(&failures);
}

/// Runs the transcript `text`, which a test has in itself; `name` stands for the file in what is reported.
///
/// # Panics
/// If a case fails, with all that differs and where.
pub fn check_text<M: Machine>(name: &str, text: &str, machine: impl Fn() -> M) {
    fail(&run::failures(name, text, &machine));
}

fn fail(failures: &[String]) {
    assert!(
        failures.is_empty(),
        "{} of the transcripts' cases failed\n\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[cfg(test)]
mod tests;
