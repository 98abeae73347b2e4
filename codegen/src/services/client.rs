//! The client: one function per method, and nothing else but how to make one.

use super::handler::deprecated;
use super::model::{Method, Service, Shape};
use super::spec;
use crate::options::Sides;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Item, parse_quote};

pub(crate) fn items(service: &Service, sides: Sides) -> Vec<Item> {
    let Service { client_runtime: runtime, client, server, docs, full_name, methods, .. } = service;
    let deprecated = deprecated(service.deprecated);
    let docs = if docs.is_empty() { vec![format!("Calls the service `{full_name}`.")] } else { docs.clone() };
    let functions = methods.iter().map(|method| function(service, method));
    let specs = methods.iter().map(|method| match sides.server {
        true => spec::same(runtime, method, &method.client_constant, &quote!(#server::<()>)),
        false => spec::constant(runtime, method, &method.client_constant),
    });
    vec![
        parse_quote! {
            #(#[doc = #docs])*
            #deprecated
            #[derive(::core::clone::Clone, ::core::fmt::Debug)]
            pub struct #client(#runtime::Channel);
        },
        parse_quote! {
            impl #client {
                /// Makes calls over a channel.
                #[must_use]
                pub fn new(channel: #runtime::Channel) -> Self {
                    Self(channel)
                }

                #(#functions)*
            }
        },
        parse_quote! {
            /// What is known of the methods.
            impl #client {
                #(#specs)*
            }
        },
    ]
}

fn function(service: &Service, method: &Method) -> TokenStream {
    let Service { client_runtime: runtime, parameters: [_, message, kind], .. } = service;
    let Method { client_function, client_constant, request, response, docs, name, .. } = method;
    let deprecated = deprecated(method.deprecated);
    let docs = if docs.is_empty() { vec![format!("Calls the method `{name}`.")] } else { docs.clone() };
    let (call, make) = match method.shape {
        Shape::Unary => (quote!(UnaryCall), quote!(unary)),
        Shape::ServerStream => (quote!(ServerStreamCall), quote!(server_stream)),
        Shape::ClientStream => (quote!(ClientStreamCall), quote!(client_stream)),
        Shape::Bidi => (quote!(BidiCall), quote!(bidi)),
    };
    let signature = match method.shape {
        Shape::Unary | Shape::ServerStream => quote! {
            pub fn #client_function<'r, #message, #kind>(
                &self,
                request: &'r #message,
            ) -> #runtime::#call<'r, #request, #response, #message, #kind>
            where
                #message: #runtime::Encode<#request, #kind>,
        },
        Shape::ClientStream | Shape::Bidi => quote! {
            pub fn #client_function(&self) -> #runtime::#call<#request, #response>
        },
    };
    let argument = match method.shape {
        Shape::Unary | Shape::ServerStream => quote!(, request),
        Shape::ClientStream | Shape::Bidi => TokenStream::new(),
    };
    quote! {
        #(#[doc = #docs])*
        #deprecated
        #signature
        {
            #runtime::Channel::#make(&self.0, &Self::#client_constant #argument)
        }
    }
}
