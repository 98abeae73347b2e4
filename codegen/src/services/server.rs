//! A handler as a server serves it: a match on the method, no map and no boxed closure.

use super::handler::deprecated;
use super::model::{Idempotency, Method, Service, Shape};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Item, parse_quote};

pub(crate) fn items(service: &Service) -> Vec<Item> {
    let Service { runtime, handler, server, parameter, full_name, methods, .. } = service;
    let deprecated = deprecated(service.deprecated);
    let docs = format!("A [`{handler}`] that a server can serve.");
    let specs = methods.iter().map(|method| spec(service, method));
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

fn spec(service: &Service, method: &Method) -> TokenStream {
    let Service { runtime, .. } = service;
    let Method { constant, procedure, name, .. } = method;
    let shape = method.shape.variant();
    let idempotency = match method.idempotency {
        Idempotency::Unknown => TokenStream::new(),
        Idempotency::NoSideEffects => quote!(.with_idempotency(#runtime::Idempotency::NoSideEffects)),
        Idempotency::Idempotent => quote!(.with_idempotency(#runtime::Idempotency::Idempotent)),
    };
    let descriptor = method.descriptor.as_ref().map(|descriptor| quote!(.with_descriptor(#descriptor)));
    let docs = format!("The method `{name}`.");
    let deprecated = deprecated(method.deprecated);
    quote! {
        #[doc = #docs]
        #deprecated
        pub const #constant: #runtime::Spec =
            #runtime::Spec::new(#procedure, #runtime::StreamShape::#shape) #idempotency #descriptor;
    }
}

fn arm(service: &Service, number: usize, method: &Method) -> TokenStream {
    let Service { handler, parameter, .. } = service;
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
