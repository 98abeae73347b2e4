//! Descriptors in, Rust out.
//!
//! A [`Schema`] is what protoc made of .proto files. [`generate`] turns some of those files into the text of one Rust
//! file, always exactly one, whatever they declare. Messages come from buffa; services are written here. The same input
//! gives the same bytes.

#![forbid(unsafe_code)]

mod docs;
mod elsewhere;
mod error;
mod externs;
mod fixup;
mod messages;
mod names;
mod options;
mod place;
mod register;
mod schema;
mod services;
mod sources;
mod tree;
mod types;
mod well_known;

pub use error::{Error, Place};
pub use externs::Externs;
pub use options::{Layout, Mode, OptionError, Options, Runtime, Sides};
pub use schema::Schema;
pub use well_known::is_well_known;

/// What to generate, and from what.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The files to generate and everything that they import.
    pub schema: &'a Schema,
    /// The import paths of the files to generate.
    pub generate: &'a [String],
    /// Which crates hold the types of other files.
    pub externs: &'a Externs,
    /// Messages, services, or both.
    pub mode: Mode,
    /// Whether the text is a crate root or a module.
    pub layout: Layout,
    /// What is asked of the generated code.
    pub options: &'a Options,
}

/// Writes the Rust of the files to generate, as one text.
///
/// # Errors
/// A file is missing, or declares what cannot be generated. The error names the file, the line and the remedy.
pub fn generate(request: &Request<'_>) -> Result<String, Error> {
    let library = types::Library::new(request)?;
    let mut tree = tree::Tree::new();
    if request.mode.has_messages() {
        messages::generate(&library, &mut tree)?;
    } else {
        messages::reexport(&library, &mut tree);
    }
    if request.mode.has_services() {
        services::generate(&library, &mut tree)?;
    }
    register::generate(&library, &mut tree);
    Ok(tree.into_text(request.layout))
}
