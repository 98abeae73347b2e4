//! From a request to a method, and what is said where there is none.

use crate::greet::*;
use crate::support::{grpc, json, messages, now, post, routes, text};
use bytes::Bytes;
use ringwire_http::{Fields, Head, Method, Version};
use ringwire_message::Raw;
use ringwire_rpc::NAMES;
use ringwire_service::{
    Call, Ends, Limits, Mounted, Result, Router, RouterError, Service, Spec, StreamShape,
};

struct Nobody;

impl Greet for Nobody {}

struct Somebody;

impl Greet for Somebody {
    async fn greet(&self, _: &mut Call, _: GreetRequestView<'_>) -> Result<GreetResponse> {
        Ok(GreetResponse::default())
    }
}

/// Sends back whatever comes, and where it was sent to.
struct Proxy;

impl Service for Proxy {
    const NAME: &'static str = "";
    const METHODS: &'static [Spec] = &[Spec::new("", StreamShape::Bidi)];

    fn find(_: &str) -> Option<usize> {
        None
    }

    async fn serve(&self, _: usize, call: &mut Call, ends: Ends<'_>) -> Result<()> {
        let (mut requests, mut responses) = ends.bidi::<Raw, Raw>()?;
        responses.send(&Raw(Bytes::copy_from_slice(call.head().path().as_bytes()))).await?;
        while let Some(request) = requests.next().await? {
            responses.send(&request).await?;
        }
        Ok(())
    }
}

#[test]
fn paths_that_lead_nowhere() {
    let routes = routes(Router::new().add(GreetServer::new(Somebody)));
    for path in ["", "/", "//", "/Greet", "/greet.v1.Greet", "/greet.v1.Greet/", "/greet.v1.Greet/greet"]
        .into_iter()
        .chain([
            "/greet.v1.Greet/Greet/",
            "//greet.v1.Greet/Greet",
            "greet.v1.Greet/Greet",
            "/greet.v1/Greet",
        ])
    {
        assert_eq!(json(&routes, path, "{}").status, 404, "{path}");
        let answer = grpc(&routes, path, &[b""]);
        assert_eq!((answer.status, answer.header("grpc-status")), (200, Some("12")), "{path}");
    }
    assert_eq!(json(&routes, "/greet.v1.Greet/Greet", "{}").status, 200);
}

#[test]
fn methods_and_media_types_that_are_not_served() {
    let routes = routes(Router::new().add(GreetServer::new(Somebody)));
    let json = |method, path: &str| {
        Head::new(method, path, Version::Http2, Fields::new(&NAMES))
            .with_field("content-type", "application/json")
    };
    let answer = now(routes.answer(json(Method::Put, "/greet.v1.Greet/Greet"), ""));
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, POST")));
    let answer = now(routes.answer(json(Method::Get, "/greet.v1.Greet/Chat"), ""));
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
    let answer = now(routes.answer(post("/greet.v1.Greet/Greet", "text/html"), ""));
    assert_eq!(answer.status, 415);
    let accepted = answer.header("accept-post").unwrap();
    assert!(accepted.contains("application/json") && accepted.contains("application/grpc"), "{accepted}");
}

#[test]
fn two_services_of_one_name_are_both_named() {
    let router = Router::new().add(GreetServer::new(Nobody)).add(GreetServer::new(Somebody));
    let error = router.build().unwrap_err();
    let text = error.to_string();
    for part in ["greet.v1.Greet", "Nobody", "Somebody"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn limits_for_a_method_that_does_not_exist_are_refused() {
    let mounted = GreetServer::new(Nobody).method_limits("Gret", Limits::default());
    let want = RouterError::NoSuchMethod { service: "greet.v1.Greet", method: "Gret".into() };
    assert_eq!(Router::new().add(mounted).build().unwrap_err(), want);
}

#[test]
fn a_fallback_gets_what_is_for_nobody_else() {
    let routes = routes(Router::new().add(GreetServer::new(Somebody)).fallback(Mounted::new(Proxy)));
    let answer = grpc(&routes, "/other.v1.Other/Method", &[b"\xff", b""]);
    let want: [&[u8]; 3] = [b"/other.v1.Other/Method", b"\xff", b""];
    assert_eq!(messages(&answer.body), want);
    let answer = grpc(&routes, "/greet.v1.Greet/Missing", &[]);
    assert_eq!(messages(&answer.body), [b"/greet.v1.Greet/Missing"]);
    let answer = grpc(&routes, "/greet.v1.Greet/Greet", &[&text("Ada")]);
    assert_eq!(messages(&answer.body), [b""]);
}

#[test]
fn a_fallback_without_a_method_is_refused() {
    struct Empty;
    impl Service for Empty {
        const NAME: &'static str = "empty";
        const METHODS: &'static [Spec] = &[];
        fn find(_: &str) -> Option<usize> {
            None
        }
        async fn serve(&self, _: usize, call: &mut Call, _: Ends<'_>) -> Result<()> {
            ringwire_service::unimplemented(call.spec()).await
        }
    }
    let router = Router::new().fallback(Mounted::new(Empty));
    assert_eq!(router.build().unwrap_err(), RouterError::EmptyFallback);
    let routes = routes(Router::new().add(Mounted::new(Empty)));
    assert_eq!(json(&routes, "/empty/Method", "{}").status, 404);
}

#[test]
fn services_are_found_whatever_their_order() {
    macro_rules! named {
        ($($type:ident $name:literal $path:literal;)*) => {$(
            struct $type;
            impl Service for $type {
                const NAME: &'static str = $name;
                const METHODS: &'static [Spec] = &[Spec::new($path, StreamShape::Unary)];
                fn find(method: &str) -> Option<usize> {
                    (method == "M").then_some(0)
                }
                async fn serve(&self, _: usize, _: &mut Call, ends: Ends<'_>) -> Result<()> {
                    let (_, response) = ends.unary::<Raw, Raw>()?;
                    response.send(&Raw(Bytes::from_static($path.as_bytes()))).await.map(drop)
                }
            }
        )*};
    }
    named! { B "b" "/b/M"; A "a.b" "/a.b/M"; Z "z" "/z/M"; Plain "" "//M"; }
    let router = Router::new().add(Mounted::new(Z)).add(Mounted::new(B)).add(Mounted::new(A));
    let routes = routes(router.add(Mounted::new(Plain)));
    assert_eq!(routes.services().collect::<Vec<_>>(), ["", "a.b", "b", "z"]);
    for path in ["/z/M", "/b/M", "/a.b/M", "//M"] {
        for routes in [&routes, &routes.shard()] {
            assert_eq!(messages(&grpc(routes, path, &[b""]).body), [path.as_bytes()]);
        }
    }
}
