//! Which crate holds the types of which file.

use std::collections::BTreeMap;
use std::fmt;

/// Which crate holds the types of which file: by import path, because a package may span several libraries.
#[derive(Clone, Debug, Default)]
pub struct Externs {
    /// Crate name → its files. A crate's names depend on all of its files, so they are kept together.
    crates: BTreeMap<String, Vec<String>>,
    crate_of: BTreeMap<String, String>,
}

impl Externs {
    /// No other crates.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The types of these files are in this crate. More files of a crate may follow; all of them must, in the end.
    ///
    /// # Errors
    /// The name can be no crate's, or one of the files is in another crate already.
    pub fn add(&mut self, krate: &str, files: impl IntoIterator<Item = String>) -> Result<(), ExternError> {
        if syn::parse_str::<syn::Ident>(krate).is_err() {
            return Err(ExternError::Name { krate: krate.to_owned() });
        }
        for file in files {
            match self.crate_of.get(&file) {
                Some(other) if other == krate => {}
                Some(other) => {
                    return Err(ExternError::Twice { file, crates: [other.clone(), krate.to_owned()] });
                }
                None => {
                    self.crate_of.insert(file.clone(), krate.to_owned());
                    self.crates.entry(krate.to_owned()).or_default().push(file);
                }
            }
        }
        Ok(())
    }

    /// The crate that holds the types of this file.
    #[must_use]
    pub fn crate_of(&self, file: &str) -> Option<&str> {
        self.crate_of.get(file).map(String::as_str)
    }

    pub(crate) fn crates(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.crates.iter().map(|(krate, files)| (krate.as_str(), files.as_slice()))
    }
}

/// Why files cannot be in a crate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ExternError {
    /// This is no name of a crate.
    Name {
        /// The name.
        krate: String,
    },
    /// A file is said to be in two crates.
    Twice {
        /// The import path.
        file: String,
        /// The crates.
        crates: [String; 2],
    },
}

impl fmt::Display for ExternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { krate } => write!(f, "{krate:?} is no name of a crate"),
            Self::Twice { file, crates: [first, second] } => {
                write!(f, "{file} is said to be in two crates, {first} and {second}")
            }
        }
    }
}

impl std::error::Error for ExternError {}
