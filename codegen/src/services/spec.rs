//! What is fixed about a method, as a constant.

use super::handler::deprecated;
use super::model::{Idempotency, Method};
use proc_macro2::{Ident, TokenStream};
use quote::quote;

/// The constant of a method, under a name. It names `Spec` by the path of a runtime.
pub(crate) fn constant(runtime: &TokenStream, method: &Method, name: &Ident) -> TokenStream {
    let Method { procedure, .. } = method;
    let shape = method.shape.variant();
    let idempotency = match method.idempotency {
        Idempotency::Unknown => TokenStream::new(),
        Idempotency::NoSideEffects => quote!(.with_idempotency(#runtime::Idempotency::NoSideEffects)),
        Idempotency::Idempotent => quote!(.with_idempotency(#runtime::Idempotency::Idempotent)),
    };
    let descriptor = method
        .descriptor
        .as_ref()
        .map(|descriptor| quote!(.with_descriptor(const { &#runtime::MethodDescriptor #descriptor })));
    let spec =
        quote!(#runtime::Spec::new(#procedure, #runtime::StreamShape::#shape) #idempotency #descriptor);
    named(runtime, method, name, &spec)
}

/// The same, where another type has it already.
pub(crate) fn same(runtime: &TokenStream, method: &Method, name: &Ident, of: &TokenStream) -> TokenStream {
    let Method { constant, .. } = method;
    named(runtime, method, name, &quote!(#of::#constant))
}

fn named(runtime: &TokenStream, method: &Method, constant: &Ident, spec: &TokenStream) -> TokenStream {
    let docs = format!("The method `{}`.", method.name);
    let deprecated = deprecated(method.deprecated);
    quote! {
        #[doc = #docs]
        #deprecated
        pub const #constant: #runtime::Spec = #spec;
    }
}
