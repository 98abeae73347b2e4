//! Services whose names are also ours, or the language's: what generated code must compile for.
#![allow(missing_docs, unreachable_pub, unused, clippy::all, clippy::use_self)]

use crate::support::{grpc, messages, routes};
use ringwire_message::Raw;
use ringwire_service::Router;

mod generated {
    //! Types that the prelude and this package have too, as messages of a package may be called.
    pub(super) struct Option;
    pub(super) struct Result;
    pub(super) struct Some;
    pub(super) struct Ok;
    pub(super) struct Err;
    pub(super) struct Send;
    pub(super) struct Box;
    pub(super) struct Vec;
    pub(super) struct String;
    pub(super) struct Call;
    pub(super) struct Error;
    pub(super) struct Response;
    pub(super) struct Service;

    macro_rules! odd {
        ($($number:literal $name:literal $method:ident;)*) => {
            pub trait Odd: ::core::marker::Send + ::core::marker::Sync + 'static {$(
                fn $method(
                    &self,
                    call: &mut ::ringwire_service::Call,
                    request: ::ringwire_message::RawView<'_>,
                    response: ::ringwire_service::Response<'_, ::ringwire_message::Raw>,
                ) -> impl ::core::future::Future<
                    Output = ::ringwire_service::Result<::ringwire_service::Sent>,
                > + ::core::marker::Send {
                    async move { response.send(&::ringwire_message::Raw($name.into())).await }
                }
            )*}

            pub struct OddServer<S>(S);

            impl<S: Odd> OddServer<S> {
                pub fn new(service: S) -> ::ringwire_service::Mounted<Self> {
                    ::ringwire_service::Mounted::new(Self(service))
                }
            }

            impl<S: Odd> ::ringwire_service::Service for OddServer<S> {
                const NAME: &'static str = "Odd";
                const METHODS: &'static [::ringwire_service::Spec] = &[$(
                    ::ringwire_service::Spec::new(
                        ::core::concat!("/Odd/", $name),
                        ::ringwire_service::StreamShape::Unary,
                    ),
                )*];

                fn find(method: &str) -> ::core::option::Option<usize> {
                    match method {
                        $($name => ::core::option::Option::Some($number),)*
                        _ => ::core::option::Option::None,
                    }
                }

                async fn serve(
                    &self,
                    method: usize,
                    call: &mut ::ringwire_service::Call,
                    ends: ::ringwire_service::Ends<'_>,
                ) -> ::ringwire_service::Result<()> {
                    match method {
                        $($number => {
                            let (request, response) =
                                ends.unary::<::ringwire_message::Raw, ::ringwire_message::Raw>()?;
                            <S as Odd>::$method(&self.0, call, request.view()?, response).await?.done()
                        })*
                        _ => ::ringwire_service::unimplemented(call.spec()).await,
                    }
                }
            }
        };
    }

    odd! {
        0 "Register" register;
        1 "Config" config;
        2 "Clone" clone;
        3 "Option" option;
        4 "New" new;
        5 "Serve" serve;
        6 "Find" find;
        7 "Limits" limits;
        8 "Intercept" intercept;
        9 "Call" call;
        10 "Send" send;
        11 "Type" r#type;
        12 "Drop" drop;
        13 "Into" into;
        14 "TypeId" type_id;
        15 "Unimplemented" unimplemented;
        16 "Done" done;
    }
}

/// Has everything that the language gives a type by default.
#[derive(Clone, Debug, Default, PartialEq)]
struct Everything;

impl generated::Odd for Everything {}

#[test]
fn methods_may_have_any_name() {
    let routes = routes(Router::new().add(generated::OddServer::new(Everything)));
    assert_eq!(routes.methods().count(), 17);
    for spec in routes.methods() {
        let answer = grpc(&routes, spec.procedure, &[b""]);
        assert_eq!(messages(&answer.body), [spec.method().as_bytes()]);
    }
}
