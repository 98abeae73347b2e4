//! Services of the corpus, called: whatever their methods are named, and wherever their messages are.

use ringwire_codegen_corpus::*;
use ringwire_service::{Call, Mounted, PlainHead, Result, Router, Service, WholeResponse};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

fn answer<S: Service>(service: Mounted<S>, path: &str, body: &str) -> WholeResponse {
    let routes = Router::new().add(service).build().expect("one service");
    let head = PlainHead::post(path, "application/json");
    match pin!(routes.answer(head, body.to_owned())).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(response) => response,
        Poll::Pending => panic!("nothing here waits"),
    }
}

#[track_caller]
fn check<S: Service>(service: Mounted<S>, path: &str, body: &str, expected: &str) {
    let response = answer(service, path, body);
    assert_eq!((response.status, &*String::from_utf8_lossy(&response.body)), (200, expected));
}

mod odd {
    use super::*;
    use rpc_names::awkward::rpc_names as p;

    #[derive(Clone, Debug)]
    struct Odd;

    impl p::Service for Odd {
        async fn register(&self, _: &mut Call, request: p::OptionView<'_>) -> Result<p::Result> {
            Ok(p::Result { option: request.to_owned_message().expect("valid").into(), ..Default::default() })
        }
        async fn clone(&self, _: &mut Call, request: p::SomeView<'_>) -> Result<p::Ok> {
            Ok(p::Ok { ok: request.some.map(p::ok::Ok::A), ..Default::default() })
        }
        async fn r#type(&self, _: &mut Call, request: p::OptionView<'_>) -> Result<p::Option> {
            Ok(p::Option { value: format!("type {}", request.value), ..Default::default() })
        }
        async fn self_(&self, _: &mut Call, request: p::OptionView<'_>) -> Result<p::Option> {
            Ok(p::Option { value: format!("self {}", request.value), ..Default::default() })
        }
        async fn get_url(&self, _: &mut Call, _: p::OptionView<'_>) -> Result<p::Option> {
            Ok(p::Option { value: "GetURL".to_owned(), ..Default::default() })
        }
        async fn get_url_(&self, _: &mut Call, _: p::OptionView<'_>) -> Result<p::Option> {
            Ok(p::Option { value: "getUrl".to_owned(), ..Default::default() })
        }
        async fn get_into(&self, _: &mut Call, _: p::OptionView<'_>) -> Result<p::Option> {
            Ok(p::Option { value: "GetInto".to_owned(), ..Default::default() })
        }
    }

    #[test]
    fn methods_may_have_any_name() {
        let called = |method: &str, body, expected| {
            check(
                p::ServiceServer_::new(Odd),
                &format!("/awkward.rpc_names.Service/{method}"),
                body,
                expected,
            );
        };
        called("Register", r#"{"value":"x"}"#, r#"{"option":{"value":"x"}}"#);
        called("Clone", r#"{"some":3}"#, r#"{"a":3}"#);
        called("Type", r#"{"value":"x"}"#, r#"{"value":"type x"}"#);
        called("Self", r#"{"value":"x"}"#, r#"{"value":"self x"}"#);
        called("GetURL", "{}", r#"{"value":"GetURL"}"#);
        called("getUrl", "{}", r#"{"value":"getUrl"}"#);
        called("GetInto", "{}", r#"{"value":"GetInto"}"#);
    }
}

#[test]
fn messages_may_come_with_protobuf() {
    use ringwire_message::buffa_types::google::protobuf as wkt;
    use well_known::awkward::well_known::{WellKnown, WellKnownServer};
    struct Clock;
    impl WellKnown for Clock {
        async fn ping(&self, _: &mut Call, _: wkt::EmptyView<'_>) -> Result<wkt::Timestamp> {
            Ok(wkt::Timestamp { seconds: 1, ..Default::default() })
        }
    }
    let path = "/awkward.well_known.WellKnown/Ping";
    check(WellKnownServer::new(Clock), path, "{}", r#""1970-01-01T00:00:01Z""#);
}

#[test]
fn a_file_may_have_no_package() {
    use no_package::{Root, RootServer, RootlessView, rootless};
    struct Here;
    impl Root for Here {
        async fn get(&self, _: &mut Call, request: RootlessView<'_>) -> Result<rootless::In> {
            Ok(rootless::In { x: format!("{:?}", request.kind), ..Default::default() })
        }
    }
    let response = answer(RootServer::new(Here), "/Root/Get", "{}");
    assert_eq!(response.status, 200);
}

#[test]
fn options_of_methods_are_in_their_specs() {
    use proto2::awkward::proto2::GuardedServer;
    let descriptor = GuardedServer::GET.descriptor.expect("descriptors are on");
    let option = [&[0x8a, 0xb5, 0x18, 4][..], b"read"].concat();
    assert!(
        descriptor.method.windows(option.len()).any(|window| window == option),
        "{:?}",
        descriptor.method
    );
}
