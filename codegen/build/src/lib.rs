//! Generates messages and Connect services in build.rs.
//!
//! ```no_run
//! // build.rs
//! fn main() -> Result<(), ringwire_build::Error> {
//!     ringwire_build::Config::new().include("proto").file("greet/v1/greet.proto").compile()
//! }
//! ```
//! ```text
//! // src/lib.rs
//! include!(concat!(env!("OUT_DIR"), "/proto.rs"));
//! ```
//! The crate depends on `ringwire-message`, on `ringwire-service` where servers are generated, and on `ringwire-client`
//! where clients are. protoc is the one that `PROTOC` names, or else the one that `ringwire-protoc` carries.

#![forbid(unsafe_code)]

mod error;
mod protoc;

pub use error::Error;
pub use ringwire_codegen::{Externs, Mode, Options, Runtime, Sides};

use ringwire_codegen::{Layout, Request, Schema};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// What to generate, and how.
#[derive(Clone, Debug)]
pub struct Config {
    includes: Vec<PathBuf>,
    files: Vec<PathBuf>,
    descriptor_set: Option<PathBuf>,
    externs: Externs,
    options: Options,
    mode: Mode,
    out_file: String,
    out_dir: Option<PathBuf>,
}

impl Config {
    /// Nothing to generate yet; messages and services, all options as they are by default.
    #[must_use]
    pub fn new() -> Self {
        Self {
            includes: Vec::new(),
            files: Vec::new(),
            descriptor_set: None,
            externs: Externs::new(),
            options: Options::default(),
            mode: Mode::Both,
            out_file: "proto.rs".to_owned(),
            out_dir: None,
        }
    }

    /// Adds a folder that import paths start from. Without any, it is the one that build.rs is in.
    #[must_use]
    pub fn include(mut self, folder: impl Into<PathBuf>) -> Self {
        self.includes.push(folder.into());
        self
    }

    /// Adds a file to generate, by its import path or by its path.
    #[must_use]
    pub fn file(mut self, file: impl Into<PathBuf>) -> Self {
        self.files.push(file.into());
        self
    }

    /// Adds files to generate, by their import paths or by their paths.
    #[must_use]
    pub fn files<P: Into<PathBuf>>(mut self, files: impl IntoIterator<Item = P>) -> Self {
        self.files.extend(files.into_iter().map(Into::into));
        self
    }

    /// Reads a serialized `FileDescriptorSet` in place of running protoc: what `protoc --include_imports
    /// --include_source_info --descriptor_set_out`, or `buf build -o`, has written. Files to generate are named by their
    /// import paths.
    #[must_use]
    pub fn descriptor_set(mut self, file: impl Into<PathBuf>) -> Self {
        self.descriptor_set = Some(file.into());
        self
    }

    /// Says which crates hold the types of which other files.
    #[must_use]
    pub fn externs(mut self, externs: Externs) -> Self {
        self.externs = externs;
        self
    }

    /// Changes the options: `.options(|options| options.descriptors = false)`.
    #[must_use]
    pub fn options(mut self, change: impl FnOnce(&mut Options)) -> Self {
        change(&mut self.options);
        self
    }

    /// Generates messages, services, or both.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Names the file that is written, in place of `proto.rs`.
    #[must_use]
    pub fn out_file(mut self, name: impl Into<String>) -> Self {
        self.out_file = name.into();
        self
    }

    /// Names the folder that is written to, in place of Cargo's `OUT_DIR`.
    #[must_use]
    pub fn out_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.out_dir = Some(folder.into());
        self
    }

    /// Generates, and tells Cargo when to do so again.
    ///
    /// # Errors
    /// protoc cannot be run, or refuses a file; or a file declares what cannot be generated.
    pub fn compile(&self) -> Result<(), Error> {
        let out_dir = match &self.out_dir {
            Some(folder) => folder.clone(),
            None => std::env::var_os("OUT_DIR").map(PathBuf::from).ok_or(Error::NoOutDir)?,
        };
        let here = [PathBuf::from(".")];
        let includes = if self.includes.is_empty() { &here[..] } else { &self.includes[..] };
        let generate: Vec<String> = self.files.iter().map(|file| import_path(includes, file)).collect();
        let set = match &self.descriptor_set {
            Some(file) => file.clone(),
            None => protoc::run(includes, &generate, &out_dir.join(format!("{}.binpb", self.out_file)))?,
        };
        let bytes = std::fs::read(&set).map_err(|error| Error::file(&set, error))?;
        let schema = Schema::decode([&bytes[..]], Schema::ELEMENT_MEMORY_MAX)
            .map_err(|(_, error)| Error::Schema { file: Some(set.clone()), error })?;
        let text = ringwire_codegen::generate(&Request {
            schema: &schema,
            generate: &generate,
            externs: &self.externs,
            mode: self.mode,
            layout: Layout::Include,
            options: &self.options,
        })
        .map_err(|error| Error::Schema { file: None, error })?;
        let out = out_dir.join(&self.out_file);
        std::fs::write(&out, text).map_err(|error| Error::file(&out, error))?;
        // Cargo reads what build scripts write to stdout.
        std::io::stdout()
            .write_all(self.directives(includes, &schema).as_bytes())
            .map_err(|error| Error::file(Path::new("stdout"), error))
    }

    /// When to generate again: whatever was read in a folder of ours may change.
    fn directives(&self, includes: &[PathBuf], schema: &Schema) -> String {
        if let Some(file) = &self.descriptor_set {
            return format!("cargo:rerun-if-changed={}\n", file.display());
        }
        let mut directives = "cargo:rerun-if-env-changed=PROTOC\n".to_owned();
        for import_path in schema.import_paths() {
            let found = includes.iter().map(|include| include.join(import_path)).find(|file| file.is_file());
            if let Some(file) = found {
                directives.push_str(&format!("cargo:rerun-if-changed={}\n", file.display()));
            }
        }
        directives
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

/// The path of a file below the first folder that it is in; a file that is in none is named by it already.
fn import_path(includes: &[PathBuf], file: &Path) -> String {
    let below = includes.iter().find_map(|include| file.strip_prefix(include).ok());
    let parts = below.unwrap_or(file).components().map(|part| part.as_os_str().to_string_lossy());
    parts.filter(|part| part != ".").collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_by_path_or_by_import_path() {
        let includes = ["proto", "third_party/proto"].map(PathBuf::from);
        let check = |file: &str, expected| assert_eq!(import_path(&includes, Path::new(file)), expected);
        check("proto/a/b.proto", "a/b.proto");
        check("third_party/proto/c.proto", "c.proto");
        check("a/b.proto", "a/b.proto");
        check("./a/b.proto", "a/b.proto");
    }
}
