//! A handler as a server serves it: a match on the method, no map and no boxed closure.

use super::handler::deprecated;
use super::model::{Method, Service, Shape};
use super::spec;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Item, parse_quote};

pub(crate) fn items(service: &Service) -> Vec<Item> {
    let Service { runtime, handler, server, parameters: [parameter, ..], full_name, methods, .. } = service;
    let deprecated = deprecated(service.deprecated);
    let docs = format!("A [`{handler}`] that a server can serve.");
    let specs = methods.iter().map(|method| spec::constant(runtime, method, &method.constant));
    let constants = methods.iter().map(|method| &method.constant);
    let names = methods.iter().map(|method| &method.name);
    let numbers = 0..methods.len();
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
        parse_quote! {
            impl<#parameter: #handler> #runtime::Service for #server<#parameter> {
                const NAME: &'static str = #full_name;
                const METHODS: &'static [#runtime::Spec] = &[#(#server::<()>::#constants),*];

                fn find(method: &str) -> ::core::option::Option<usize> {
                    match method {
                        #(#names => ::core::option::Option::Some(#numbers),)*
                        _ => ::core::option::Option::None,
                    }
                }

                async fn serve(
                    &self,
                    method: usize,
                    call: &mut #runtime::Call,
                    ends: #runtime::Ends<'_>,
                ) -> #runtime::Result<()> {
                    let _ = &ends;
                    match method {
                        #(#arms)*
                        _ => #runtime::unimplemented(call.spec()).await,
                    }
                }
            }
        },
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
