//! The trait that handlers implement.

use super::model::{Method, Service, Shape};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Item, parse_quote};

pub(crate) fn items(service: &Service) -> Vec<Item> {
    let Service { handler, docs, full_name, .. } = service;
    let deprecated = deprecated(service.deprecated);
    let methods = service.methods.iter().map(|method| functions(service, method));
    let docs = if docs.is_empty() { vec![format!("The service `{full_name}`.")] } else { docs.clone() };
    vec![parse_quote! {
        #(#[doc = #docs])*
        #deprecated
        pub trait #handler: ::core::marker::Send + ::core::marker::Sync + 'static {
            #(#methods)*
        }
    }]
}

fn functions(service: &Service, method: &Method) -> TokenStream {
    let Service { runtime, handler, .. } = service;
    let Method { function, into, request, request_view, response, docs, name, .. } = method;
    let deprecated = deprecated(method.deprecated);
    let docs = if docs.is_empty() { vec![format!("The method `{name}`.")] } else { docs.clone() };
    let (incoming, incoming_type) = match method.shape {
        Shape::Unary | Shape::ServerStream => (quote!(request), quote!(#request_view<'_>)),
        Shape::ClientStream | Shape::Bidi => (quote!(requests), quote!(#runtime::Requests<'_, #request>)),
    };
    if !method.shape.has_one_response() {
        return quote! {
            #(#[doc = #docs])*
            #deprecated
            fn #function(
                &self,
                call: &mut #runtime::Call,
                #incoming: #incoming_type,
                responses: #runtime::Responses<'_, #response>,
            ) -> impl ::core::future::Future<Output = #runtime::Result<()>> + ::core::marker::Send {
                let _ = (#incoming, responses);
                #runtime::unimplemented(call.spec())
            }
        };
    }
    let into_docs = match function.to_string().strip_prefix("r#") {
        None => {
            format!("[`{function}`](Self::{function}), for an answer that is borrowed, or encoded already.")
        }
        Some(name) => format!("`{name}`, for an answer that is borrowed, or encoded already."),
    };
    quote! {
        #(#[doc = #docs])*
        #deprecated
        fn #function(
            &self,
            call: &mut #runtime::Call,
            #incoming: #incoming_type,
        ) -> impl ::core::future::Future<Output = #runtime::Result<#response>> + ::core::marker::Send {
            let _ = #incoming;
            #runtime::unimplemented(call.spec())
        }

        #[doc = #into_docs]
        #deprecated
        fn #into(
            &self,
            call: &mut #runtime::Call,
            #incoming: #incoming_type,
            response: #runtime::Response<'_, #response>,
        ) -> impl ::core::future::Future<Output = #runtime::Result<#runtime::Sent>> + ::core::marker::Send {
            async move {
                let message = <Self as #handler>::#function(self, call, #incoming).await?;
                response.answer(call, &message).await
            }
        }
    }
}

/// The schema gives no reason and no version, only the fact.
pub(crate) fn deprecated(is: bool) -> TokenStream {
    if is { quote!(#[deprecated]) } else { TokenStream::new() }
}
