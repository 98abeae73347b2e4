//! The way from a method's name to what answers it: a match, no map and no boxed closure.

use super::model::Service;
use proc_macro2::TokenStream;
use syn::{Item, parse_quote};

/// What answers the methods of a service.
pub(crate) struct Dispatch<'a> {
    /// The path of `Service`, `Call`, `Ends` and `unimplemented`.
    pub(crate) names: &'a TokenStream,
    /// The path of `Spec` and `Result`.
    pub(crate) result: &'a TokenStream,
    /// The parameters of the implementation.
    pub(crate) bound: TokenStream,
    /// The type.
    pub(crate) implementor: TokenStream,
    /// The spec of each method.
    pub(crate) constants: Vec<TokenStream>,
    /// What each method does, under its number.
    pub(crate) arms: Vec<TokenStream>,
}

/// The implementation of `Service`.
pub(crate) fn item(service: &Service, dispatch: &Dispatch<'_>) -> Item {
    let Service { full_name, methods, .. } = service;
    let Dispatch { names, result, bound, implementor, constants, arms } = dispatch;
    let known = methods.iter().map(|method| &method.name);
    let numbers = 0..methods.len();
    parse_quote! {
        impl #bound #names::Service for #implementor {
            const NAME: &'static str = #full_name;
            const METHODS: &'static [#result::Spec] = &[#(#constants),*];

            fn find(method: &str) -> ::core::option::Option<usize> {
                match method {
                    #(#known => ::core::option::Option::Some(#numbers),)*
                    _ => ::core::option::Option::None,
                }
            }

            async fn serve(
                &self,
                method: usize,
                call: &mut #names::Call,
                ends: #names::Ends<'_>,
            ) -> #result::Result<()> {
                let _ = &ends;
                match method {
                    #(#arms)*
                    _ => #names::unimplemented(call.spec()).await,
                }
            }
        }
    }
}
