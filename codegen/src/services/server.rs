//! A handler as a server serves it: a match on the method, no map and no boxed closure.

use super::dispatch::{self, Dispatch};
use super::handler::deprecated;
use super::model::{Method, Service, Shape};
use super::spec;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Item, parse_quote};

pub(crate) fn items(service: &Service) -> Vec<Item> {
    let Service { runtime, handler, server, parameters: [parameter, ..], methods, .. } = service;
    let deprecated = deprecated(service.deprecated);
    let docs = format!("A [`{handler}`] that a server can serve.");
    let specs = methods.iter().map(|method| spec::constant(runtime, method, &method.constant));
    let constants = methods.iter().map(|method| &method.constant);
    let arms = methods.iter().enumerate().map(|(number, method)| arm(service, number, method));
    vec![
        parse_quote! {
            #[doc = #docs]
            #deprecated
            #[derive(::core::fmt::Debug)]
            pub struct #server<#parameter>(#parameter);
        },
        parse_quote! {
            impl<#parameter: #handler> #server<#parameter> {
                /// Wraps a service, to be added to a router.
                pub fn new(service: #parameter) -> #runtime::Mounted<Self> {
                    #runtime::Mounted::new(Self(service))
                }
            }
        },
        parse_quote! {
            /// What is known of the methods.
            impl #server<()> {
                #(#specs)*
            }
        },
        dispatch::item(
            service,
            &Dispatch {
                names: runtime,
                result: runtime,
                bound: quote!(<#parameter: #handler>),
                implementor: quote!(#server<#parameter>),
                constants: constants.map(|constant| quote!(#server::<()>::#constant)).collect(),
                arms: arms.collect(),
            },
        ),
    ]
}

fn arm(service: &Service, number: usize, method: &Method) -> TokenStream {
    let Service { handler, parameters: [parameter, ..], .. } = service;
    let Method { function, into, request, response, .. } = method;
    let body = match method.shape {
        Shape::Unary => quote! {
            let (request, response) = ends.unary::<#request, #response>()?;
            <#parameter as #handler>::#into(&self.0, call, request.view()?, response).await?.done()
        },
        Shape::ClientStream => quote! {
            let (requests, response) = ends.client_stream::<#request, #response>()?;
            <#parameter as #handler>::#into(&self.0, call, requests, response).await?.done()
        },
        Shape::ServerStream => quote! {
            let (request, responses) = ends.server_stream::<#request, #response>().await?;
            <#parameter as #handler>::#function(&self.0, call, request.view()?, responses).await
        },
        Shape::Bidi => quote! {
            let (requests, responses) = ends.bidi::<#request, #response>()?;
            <#parameter as #handler>::#function(&self.0, call, requests, responses).await
        },
    };
    quote!(#number => { #body })
}
