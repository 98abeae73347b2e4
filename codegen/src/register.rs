//! The function of each library that makes its messages known to a registry.

use crate::options::Mode;
use crate::schema::text;
use crate::tree::Tree;
use crate::types::{Library, tokens};
use buffa_codegen::context::CodeGenContext;
use buffa_codegen::generated::descriptor::DescriptorProto;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::parse_quote;

/// Writes the function, for what the tree holds.
pub(crate) fn generate(library: &Library<'_>, tree: &mut Tree) {
    let options = library.request.options;
    let runtime = tokens(&options.runtime.message);
    let mut statements: Vec<TokenStream> = Vec::new();
    if library.request.mode == Mode::Services {
        for (krate, _) in library.request.externs.crates() {
            let krate = format_ident!("{krate}");
            statements.push(quote!(::#krate::register_types(registry);));
        }
    } else if options.json && options.views {
        let context = library.context();
        for file in library.generated_files() {
            let prefix = match text(&file.package) {
                "" => ".".to_owned(),
                package => format!(".{package}."),
            };
            let mut messages =
                Messages { library, context: &context, runtime: &runtime, statements: &mut statements };
            messages.register(&prefix, &file.message_type);
        }
        // buffa leaves one such constant for each extension that JSON can express.
        for extension in tree.constants().iter().filter(|path| path.ends_with("_JSON_EXT")) {
            let path = tokens(extension);
            statements.push(quote!(registry.register_json_ext(#path);));
        }
    }
    tree.package("").push(parse_quote! {
        /// Makes the messages and extensions of this crate known to a registry, so that JSON can name them: messages in
        /// an `Any`, extensions in what they extend.
        pub fn register_types(registry: &mut #runtime::buffa::type_registry::TypeRegistry) {
            let _ = &registry;
            #(#statements)*
        }
    });
}

struct Messages<'r, 'a> {
    library: &'r Library<'a>,
    context: &'r CodeGenContext<'r>,
    runtime: &'r TokenStream,
    statements: &'r mut Vec<TokenStream>,
}

impl Messages<'_, '_> {
    fn register(&mut self, prefix: &str, messages: &[DescriptorProto]) {
        for message in messages.iter().filter(|message| !is_map_entry(message)) {
            let name = format!("{prefix}{}", text(&message.name));
            if let Some(path) = self.context.rust_type(&name) {
                let path = self.library.renames.rust(path);
                let (runtime, path) = (self.runtime, tokens(&format!("self::{path}")));
                self.statements.push(quote!(#runtime::register::<#path>(registry);));
            }
            self.register(&format!("{name}."), &message.nested_type);
        }
    }
}

fn is_map_entry(message: &DescriptorProto) -> bool {
    message.options.as_option().is_some_and(|options| options.map_entry == Some(true))
}
