//! What a check has to say: where, about what, and what to do instead.

use std::fmt;

/// One place that breaks one rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file, relative to the workspace.
    pub path: String,
    /// The line, counted from one.
    pub line: usize,
    /// What stands there: the word that `allow.txt` would name.
    pub token: String,
    /// The rule, and what to write instead.
    pub advice: String,
}

impl Finding {
    /// A finding about `token` in a line of `path`.
    pub fn new(path: &str, line: usize, token: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, token: token.into(), advice: advice.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: `{}`: {}", self.path, self.line, self.token, self.advice)
    }
}
