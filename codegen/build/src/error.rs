//! Why a build script generated nothing.

use std::fmt;
use std::path::{Path, PathBuf};

/// Why a build script generated nothing.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// Neither `OUT_DIR` nor a folder in its place is known: this is no build script.
    NoOutDir,
    /// A file cannot be read or written.
    File {
        /// The file.
        file: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// protoc cannot be run.
    NoProtoc {
        /// The program.
        program: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// protoc refuses the files.
    Protoc {
        /// What it says.
        message: String,
    },
    /// The files cannot be generated.
    Schema {
        /// The descriptor set, where that is at fault.
        file: Option<PathBuf>,
        /// The cause.
        error: ringwire_codegen::Error,
    },
}

impl Error {
    pub(crate) fn file(file: &Path, error: std::io::Error) -> Self {
        Self::File { file: file.to_owned(), error }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoOutDir => {
                f.write_str("OUT_DIR is not set: run this in build.rs, or name a folder by out_dir")
            }
            Self::File { file, error } => write!(f, "{}: {error}", file.display()),
            Self::NoProtoc { program, error } => {
                write!(f, "cannot run {}: {error}; PROTOC names another protoc", program.display())
            }
            Self::Protoc { message } => write!(f, "protoc: {}", message.trim_end()),
            Self::Schema { file: Some(file), error } => write!(f, "{}: {error}", file.display()),
            Self::Schema { file: None, error } => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}
