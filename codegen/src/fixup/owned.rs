//! `to_owned_message` as a method of each view, so that nobody has to import the trait that has it.

use proc_macro2::TokenStream;
use syn::{Item, ItemImpl, parse_quote};

/// Adds the method beside each implementation of buffa's `MessageView`.
pub(crate) fn add_owned(items: &mut Vec<Item>, runtime: &TokenStream) {
    let mut added = Vec::new();
    for item in items.iter_mut() {
        match item {
            Item::Mod(module) => {
                if let Some((_, items)) = &mut module.content {
                    add_owned(items, runtime);
                }
            }
            Item::Impl(view) if implements_message_view(view) => {
                let (generics, view) = (&view.generics, &view.self_ty);
                added.push(parse_quote! {
                    impl #generics #view {
                        /// The message, with copies of all that is borrowed here.
                        ///
                        /// # Errors
                        /// Fields that are not in the schema are no protobuf.
                        pub fn to_owned_message(
                            &self,
                        ) -> ::core::result::Result<
                            <Self as #runtime::buffa::MessageView<'a>>::Owned,
                            #runtime::buffa::DecodeError,
                        > {
                            #runtime::buffa::MessageView::to_owned_message(self)
                        }
                    }
                });
            }
            _ => {}
        }
    }
    items.extend(added);
}

fn implements_message_view(item: &ItemImpl) -> bool {
    let implemented = item.trait_.as_ref().and_then(|(_, path, _)| path.segments.last());
    implemented.is_some_and(|implemented| implemented.ident == "MessageView")
}
