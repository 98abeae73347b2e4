//! The mock: a service without a handler, which tests tell what to answer.

use super::dispatch::{self, Dispatch};
use super::handler::deprecated;
use super::model::{Method, Service, Shape};
use proc_macro2::{Literal, TokenStream};
use quote::quote;
use syn::{Item, parse_quote};

pub(crate) fn items(service: &Service) -> Vec<Item> {
    let Service { client_runtime, local_runtime: runtime, client, mock, methods, .. } = service;
    let deprecated = deprecated(service.deprecated);
    let docs =
        format!("A service for tests of whatever calls [`{client}`]: it answers as it is told, and records.");
    let types: Vec<TokenStream> = methods.iter().map(|method| script(runtime, method)).collect();
    let accessors =
        methods.iter().enumerate().map(|(number, method)| accessor(&types[number], number, method));
    let constants = methods.iter().map(|method| &method.client_constant);
    let arms = methods.iter().enumerate().map(|(number, method)| arm(runtime, number, method));
    vec![
        parse_quote! {
            #[doc = #docs]
            #deprecated
            #[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::default::Default)]
            pub struct #mock(#(#types),*);
        },
        parse_quote! {
            impl #mock {
                /// A service that has not been told anything yet. Its clones are the same service.
                #[must_use]
                pub fn new() -> Self {
                    <Self as ::core::default::Default>::default()
                }

                #(#accessors)*
            }
        },
        dispatch::item(
            service,
            &Dispatch {
                names: &quote!(#runtime::generated),
                result: client_runtime,
                bound: TokenStream::new(),
                implementor: quote!(#mock),
                constants: constants.map(|constant| quote!(#client::#constant)).collect(),
                arms: arms.collect(),
            },
        ),
    ]
}

/// What a method was told, and was asked.
fn script(runtime: &TokenStream, method: &Method) -> TokenStream {
    let Method { request, response, .. } = method;
    match method.shape.has_one_response() {
        true => quote!(#runtime::MockMethod<#request, #response>),
        false => quote!(#runtime::MockStream<#request, #response>),
    }
}

fn accessor(script: &TokenStream, number: usize, method: &Method) -> TokenStream {
    let Method { client_function, name, .. } = method;
    let number = Literal::usize_unsuffixed(number);
    let deprecated = deprecated(method.deprecated);
    let docs = format!("What `{name}` is to answer, and what it was asked.");
    quote! {
        #[doc = #docs]
        #deprecated
        pub fn #client_function(&self) -> &#script {
            &self.#number
        }
    }
}

fn arm(runtime: &TokenStream, number: usize, method: &Method) -> TokenStream {
    let place = Literal::usize_unsuffixed(number);
    let serve = match method.shape {
        Shape::Unary => quote!(MockMethod::unary),
        Shape::ClientStream => quote!(MockMethod::client_stream),
        Shape::ServerStream => quote!(MockStream::server_stream),
        Shape::Bidi => quote!(MockStream::bidi),
    };
    quote!(#number => #runtime::#serve(&self.#place, call, ends).await,)
}
