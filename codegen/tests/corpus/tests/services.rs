//! Services of the corpus, called: whatever their methods are named, and wherever their messages are.

use ringwire_client::{Channel, Code};
use ringwire_codegen_corpus::*;
use ringwire_local::LocalChannel;
use ringwire_service::{Call, Mounted, Result, Router, Service, WholeResponse, post_head};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

fn answer<S: Service>(service: Mounted<S>, path: &str, body: &str) -> WholeResponse {
    let routes = Router::new().add(service).build().expect("one service");
    let head = post_head(path, "application/json");
    now(routes.answer(head, body.to_owned()))
}

fn now<T>(future: impl IntoFuture<Output = T>) -> T {
    match pin!(future.into_future()).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
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

    #[test]
    fn clients_have_a_function_for_each() {
        let client = p::ServiceClient_::new(Channel::local(p::ServiceServer_::new(Odd)));
        let x = p::Option { value: "x".to_owned(), ..Default::default() };
        assert_eq!(now(client.register(&x)).expect("answered").option.value, "x");
        let three = p::Some { some: Some(3), ..Default::default() };
        assert!(matches!(now(client.clone(&three)).expect("answered").ok, Some(p::ok::Ok::A(3))));
        assert_eq!(now(Clone::clone(&client).r#type(&x)).expect("answered").value, "type x");
        assert_eq!(now(client.self_(&x)).expect("answered").value, "self x");
        assert_eq!(now(client.get_url_(&x)).expect("answered").value, "getUrl");
        assert_eq!(now(client.get_into(&x)).expect("answered").value, "GetInto");
        let unwritten = [
            now(client.default(&p::Error::default())).expect_err("not written").code(),
            now(client.new__(&p::None::default())).expect_err("not written").code(),
            now(client.with_header(&x)).expect_err("not written").code(),
            now(client.channel(&p::K::default())).expect_err("not written").code(),
            now(client.into_future(&x)).expect_err("not written").code(),
            now(client.__(&x)).expect_err("not written").code(),
            now(client._1(&x)).expect_err("not written").code(),
        ];
        assert_eq!(unwritten, [Code::Unimplemented; 7]);
        assert_eq!(p::ServiceClient_::_1_.procedure, "/awkward.rpc_names.Service/_1");
    }

    #[test]
    fn a_client_may_stand_alone() {
        use rpc_names_client::awkward::rpc_names as alone;
        let mock = alone::MockService_::new();
        mock.new__().returns(alone::Err::default());
        mock.asked().returns(alone::Option { value: "y".to_owned(), ..Default::default() });
        let client = alone::ServiceClient_::new(Channel::local(&mock));
        assert!(now(client.new__(&alone::None::default())).is_ok());
        let x = alone::Option { value: "x".to_owned(), ..Default::default() };
        assert_eq!(now(client.asked(&x)).expect("told so").value, "y");
        assert_eq!(mock.asked().asked()[0].request().value, "x");
        let spec = alone::ServiceClient_::REGISTER;
        assert!(spec.descriptor.is_some_and(|descriptor| descriptor.method.starts_with(b"\n\x08Register")));
        // Neither name meets the other's, nor that of a view.
        let _ = (alone::MockPairClient::new, alone::MockPairClient_::new, alone::MockHalfView_::new);
    }

    #[test]
    fn a_server_may_stand_alone() {
        use rpc_names_server::awkward::rpc_names as alone;
        struct Nobody;
        impl alone::Service for Nobody {}
        let client = p::ServiceClient_::new(Channel::local(alone::ServiceServer_::new(Nobody)));
        assert_eq!(
            now(client.poll(&p::Option::default())).expect_err("not written").code(),
            Code::Unimplemented
        );
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
