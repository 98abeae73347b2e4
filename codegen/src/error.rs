//! Why nothing was generated.

use std::fmt;

/// Why nothing was generated: the cause, the place in the schema where there is one, and what to do about it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Error {
    /// Where in the schema.
    pub place: Option<Place>,
    /// What is wrong.
    pub cause: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

/// A place in a .proto file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// The import path of the file.
    pub file: String,
    /// The line, counted from one. Unknown where the descriptors carry no source info.
    pub line: Option<u32>,
}

impl Error {
    pub(crate) fn new(cause: impl Into<String>) -> Self {
        Self { place: None, cause: cause.into(), remedy: None }
    }

    pub(crate) fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.cause)?;
        match &self.remedy {
            Some(remedy) => write!(f, "\n  to fix it: {remedy}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        match self.line {
            Some(line) => write!(f, ":{line}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
