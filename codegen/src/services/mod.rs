//! Services: the trait that handlers implement, the server of it, the client, the mock.
//!
//! Everything is named by its whole path, and nothing here declares a method or a type beside those that the schema
//! asks for, so that whatever a schema calls its own, it meets nothing of ours. The one exception is `new` of clients
//! and mocks, before which a method `New` gives way.

mod client;
mod dispatch;
mod handler;
mod mock;
mod model;
mod server;
mod spec;

use crate::error::Error;
use crate::options::Sides;
use crate::place;
use crate::schema::text;
use crate::sources::ROOT_MODULE;
use crate::tree::Tree;
use crate::types::Library;
use buffa::Message as _;
use buffa_codegen::generated::descriptor::{FileDescriptorProto, FileDescriptorSet};
use model::Service;
use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};
use syn::{Item, parse_quote};

/// Writes the services of all files to generate.
pub(crate) fn generate(library: &Library<'_>, tree: &mut Tree) -> Result<(), Error> {
    let options = library.request.options;
    let sides = options.services;
    if sides == Sides::NONE {
        return Ok(());
    }
    let context = library.context();
    let mut with_services = Vec::new();
    for import_path in &library.generate {
        let Some(file) = library.file(import_path) else { continue };
        for index in 0..file.service.len() {
            let service = Service::new(library, &context, file, index)?;
            let place =
                || library.request.schema.place(import_path, &place::join(&[], place::SERVICE, index));
            if !(options.json && options.views) {
                return Err(Error::new(format!(
                    "the messages of the service {} need json and views",
                    service.full_name
                ))
                .at(place())
                .remedy("leave json and views on, or generate messages only (services=none)"));
            }
            let items = tree.package(text(&file.package));
            if sides.server {
                items.extend(handler::items(&service));
                items.extend(server::items(&service));
            }
            if sides.client {
                items.extend(client::items(&service, sides));
                items.extend(mock::items(&service));
            }
        }
        if !file.service.is_empty() {
            with_services.push(import_path.clone());
        }
    }
    if with_services.is_empty() {
        return library.has_no_services();
    }
    if options.descriptors {
        tree.package("").push(schema_of(library, &with_services)?);
    }
    Ok(())
}

impl Library<'_> {
    /// A facade that compiles because it is empty helps nobody.
    fn has_no_services(&self) -> Result<(), Error> {
        if self.request.mode.has_messages() {
            return Ok(());
        }
        let files = self.request.generate.join(", ");
        Err(Error::new(format!("no service is declared in {files}")).remedy(
            "depend on the proto_library that declares the service, or ask for messages only (services=none)",
        ))
    }
}

/// The path, from the module of a package, of the descriptor set that all services of the file share.
fn files_path(package: &str) -> TokenStream {
    let root = format_ident!("{ROOT_MODULE}");
    match package.split('.').filter(|segment| !segment.is_empty()).count() {
        0 => quote!(self::#root::FILES),
        depth => {
            let up = (0..depth).map(|_| format_ident!("super"));
            quote!(#(#up::)* #root::FILES)
        }
    }
}

/// The module with the schema of the services, once for all of them.
fn schema_of(library: &Library<'_>, with_services: &[String]) -> Result<Item, Error> {
    let closure = library.request.schema.closure(with_services)?;
    let bare = |file: &FileDescriptorProto| {
        let mut file = file.clone();
        file.source_code_info = <_>::default();
        file
    };
    let set = FileDescriptorSet { file: closure.into_iter().map(bare).collect(), ..<_>::default() };
    let bytes = Literal::byte_string(&set.encode_to_vec());
    let root = format_ident!("{ROOT_MODULE}");
    Ok(parse_quote! {
        #[doc(hidden)]
        mod #root {
            /// A serialized `google.protobuf.FileDescriptorSet`: the files of the services, and what they import.
            pub static FILES: &[u8] = #bytes;
        }
    })
}
