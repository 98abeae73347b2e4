//! What stands beside the messages of a call.

use crate::greet::*;
use crate::support::{Driven, grpc, json, now, pass, post, routes, text};
use bytes::BytesMut;
use ringwire_service::{
    Arrival, Call, Code, Error, ErrorDetails, Guard, Input, MethodDescriptor, Outbox, Peer, PeerAddress,
    Requests, Responses, Result, Router, Step,
};
use std::future::pending;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

/// Asks the call for everything, and answers with what it said.
struct Curious;

impl Greet for Curious {
    async fn greet(&self, call: &mut Call, _: GreetRequestView<'_>) -> Result<GreetResponse> {
        let team = call.headers().get_str("x-team")?.to_owned();
        let trace = call.headers().get_bin("trace-bin")?;
        let left = *call.extensions_mut().get::<u32>().unwrap();
        call.response_headers_mut()?.insert("served-by", "curious")?;
        call.response_trailers_mut().append_bin("trace-bin", &trace)?;
        let greeting = format!(
            "{} {:?} {left} {} {} {:?} {}",
            team,
            call.peer().socket_address(),
            call.protocol(),
            call.codec(),
            call.head().query(),
            call.spec().procedure,
        );
        Ok(GreetResponse { greeting, ..Default::default() })
    }
}

#[test]
fn a_handler_sees_who_calls_and_how() {
    let routes = routes(Router::new().add(GreetServer::new(Curious)));
    let head = post("/greet.v1.Greet/Greet?a=b", "application/json")
        .with_field("x-team", "rings")
        .with_field("trace-bin", "AQID");
    let mut arrival = Arrival::new(head);
    arrival.extensions.insert(7u32);
    arrival.peer = Arc::new(Peer::new(PeerAddress::Socket("10.0.0.1:9".parse().unwrap())));
    let mut flight = routes.start(arrival, Instant::now());
    flight.handle_input(Input::Data("{}".into()));
    flight.handle_input(Input::End);
    let mut cx = Context::from_waker(Waker::noop());
    let (mut headers, mut body) = (Vec::<(String, Vec<u8>)>::new(), BytesMut::new());
    let mut outbox = Outbox { fields: &mut headers, body: &mut body };
    assert_eq!(flight.poll(&mut cx, Instant::now(), &mut outbox), Step::Head(200));
    let want = r#"{"greeting":"rings Some(10.0.0.1:9) 7 connect json Some(\"a=b\") /greet.v1.Greet/Greet"}"#;
    assert_eq!(body, want);
    assert!(headers.contains(&("served-by".into(), "curious".into())));
    assert!(headers.contains(&("trailer-trace-bin".into(), "AQID".into())), "{headers:?}");
}

#[test]
fn the_schema_is_at_hand() {
    use ringwire_message::buffa::Message as _;
    let routes = routes(Router::new().add(GreetServer::new(Curious)));
    let names: Vec<_> = routes.methods().map(|spec| spec.method()).collect();
    assert_eq!(names, ["Greet", "Collect", "Spell", "Chat"]);
    let spec = routes.spec("/greet.v1.Greet/Greet").unwrap();
    let MethodDescriptor { method, files } = spec.descriptor.unwrap();
    // Field 1 of a MethodDescriptorProto is its name, and a GreetRequest has a string there too.
    assert_eq!(GreetRequest::decode_from_slice(method).unwrap().name, "Greet");
    assert!(files.windows(method.len()).any(|window| window == *method));
}

/// Changes its headers too late.
struct Late;

impl Greet for Late {
    async fn chat(
        &self,
        call: &mut Call,
        mut requests: Requests<'_, ChatRequest>,
        mut responses: Responses<'_, ChatResponse>,
    ) -> Result<()> {
        call.response_headers_mut()?.insert("early", "1")?;
        while let Some(request) = requests.next().await? {
            match request.line {
                "flush" => responses.flush().await?,
                "change" => {
                    call.response_headers_mut()?.insert("late", "1")?;
                }
                line => responses.send(&ChatResponseView { line, ..Default::default() }).await?,
            }
        }
        call.response_trailers_mut().insert("last", "1")?;
        Ok(())
    }
}

#[test]
fn headers_of_a_stream_leave_with_the_first_send_or_flush() {
    let routes = routes(Router::new().add(GreetServer::new(Late)));
    for first in ["flush", "hello"] {
        let mut call = Driven::grpc(&routes, "/greet.v1.Greet/Chat");
        assert_eq!(call.poll().push(&text("change")).status, None, "nothing has been sent");
        assert_eq!(call.push(&text(first)).status, Some(200));
        assert!(call.headers.contains(&("late".into(), "1".into())), "{first}");
        assert!(call.headers.contains(&("early".into(), "1".into())), "{first}");
        assert_eq!(call.end().grpc_status(), Some("0"));
        assert_eq!(call.trailer("last"), Some("1"));
    }
}

#[test]
fn a_late_change_of_headers_is_an_error_that_says_so() {
    let said = Arc::new(Mutex::new(None));
    let heard = said.clone();
    struct Hear(Arc<Mutex<Option<Error>>>);
    impl ringwire_service::Interceptor<Call> for Hear {
        async fn intercept(&self, call: &mut Call, next: ringwire_service::Next<'_>) -> Result<()> {
            let outcome = next.run(call).await;
            *self.0.lock().unwrap() = outcome.clone().err();
            outcome
        }
    }
    let routes = routes(Router::new().add(GreetServer::new(Late)).intercept(Hear(heard)));
    for first in ["flush", "hello"] {
        let mut call = Driven::grpc(&routes, "/greet.v1.Greet/Chat");
        call.poll().push(&text(first)).push(&text("change"));
        assert_eq!(call.grpc_status(), Some("13"));
        let error = said.lock().unwrap().take().unwrap();
        assert!(error.source().unwrap().to_string().contains("headers have left"), "{error:?}");
    }
}

#[test]
fn a_flush_waits_until_the_shell_has_taken_everything() {
    struct Flush(Arc<Mutex<Vec<&'static str>>>);
    impl Greet for Flush {
        async fn spell(
            &self,
            _: &mut Call,
            _: GreetRequestView<'_>,
            mut responses: Responses<'_, GreetResponse>,
        ) -> Result<()> {
            responses.send(&GreetResponse::default()).await?;
            self.0.lock().unwrap().push("sent");
            responses.flush().await?;
            self.0.lock().unwrap().push("flushed");
            pending().await
        }
    }
    let log = Arc::new(Mutex::new(Vec::new()));
    let routes = routes(Router::new().add(GreetServer::new(Flush(log.clone()))));
    let mut call = Driven::grpc(&routes, "/greet.v1.Greet/Spell");
    call.feed(crate::support::envelopes(&[b""]));
    call.feed_end();
    assert!(matches!(call.step(), (Step::Head(200), 5..)), "the shell has taken the message with the head");
    assert_eq!(*log.lock().unwrap(), ["sent"]);
    assert!(matches!(call.step(), (Step::Wait { .. }, 0)));
    assert_eq!(*log.lock().unwrap(), ["sent", "flushed"]);
}

/// Waits for ever, after it has handed out what outlives it.
#[derive(Clone, Default)]
struct Waiting {
    kept: Arc<Mutex<Vec<(ringwire_service::Cancelled, Guard)>>>,
    dropped: Arc<Mutex<usize>>,
}

struct CountDrop(Arc<Mutex<usize>>);

impl Drop for CountDrop {
    fn drop(&mut self) {
        *self.0.lock().unwrap() += 1;
    }
}

impl Greet for Waiting {
    async fn greet(&self, call: &mut Call, request: GreetRequestView<'_>) -> Result<GreetResponse> {
        let _counted = CountDrop(self.dropped.clone());
        self.kept.lock().unwrap().push((call.cancelled(), call.guard()));
        match request.name {
            "wait" => pending().await,
            "fail" => Err(Error::not_found("no")),
            "panic" => panic!("meant"),
            _ => Ok(GreetResponse::default()),
        }
    }

    async fn chat(
        &self,
        call: &mut Call,
        mut requests: Requests<'_, ChatRequest>,
        _: Responses<'_, ChatResponse>,
    ) -> Result<()> {
        let _counted = CountDrop(self.dropped.clone());
        self.kept.lock().unwrap().push((call.cancelled(), call.guard()));
        while requests.next().await?.is_some() {}
        Ok(())
    }
}

fn is_cancelled(cancelled: &mut ringwire_service::Cancelled) -> bool {
    Pin::new(cancelled).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

#[test]
fn dropping_a_call_drops_its_handler_and_tells_what_it_left_behind() {
    let service = Waiting::default();
    let routes = routes(Router::new().add(GreetServer::new(service.clone())));
    for method in ["Greet", "Chat"] {
        let mut call = Driven::grpc(&routes, &format!("/greet.v1.Greet/{method}"));
        call.push(&text("wait"));
        if method == "Greet" {
            call.end();
        }
        let (mut cancelled, guard) = service.kept.lock().unwrap().pop().unwrap();
        assert!(!is_cancelled(&mut cancelled));
        assert_eq!(routes.running(), 2, "the call, and the guard");
        call.flight = None;
        assert!(is_cancelled(&mut cancelled));
        assert_eq!(std::mem::take(&mut *service.dropped.lock().unwrap()), 1);
        assert_eq!(routes.running(), 1, "the guard");
        let mut idle = Box::pin(routes.idle());
        let mut cx = Context::from_waker(Waker::noop());
        assert!(idle.as_mut().poll(&mut cx).is_pending());
        drop(guard);
        assert!(idle.as_mut().poll(&mut cx).is_ready());
    }
}

#[test]
fn a_call_runs_until_its_handler_has_ended() {
    let service = Waiting::default();
    let routes = routes(Router::new().add(GreetServer::new(service.clone())));
    for method in ["Greet", "Chat"] {
        let mut call = Driven::grpc(&routes, &format!("/greet.v1.Greet/{method}"));
        call.feed(crate::support::envelopes(&[&text("answer")]));
        call.feed_end();
        assert!(matches!(call.step(), (Step::Head(200), _)));
        service.kept.lock().unwrap().clear();
        assert_eq!(routes.running(), 0, "{method}: what is left is for the connection to send");
    }
}

#[test]
fn an_answered_call_is_not_cancelled() {
    let service = Waiting::default();
    let routes = routes(Router::new().add(GreetServer::new(service.clone())));
    for name in ["answer", "fail"] {
        grpc(&routes, "/greet.v1.Greet/Greet", &[&text(name)]);
        let (mut cancelled, _guard) = service.kept.lock().unwrap().pop().unwrap();
        assert!(!is_cancelled(&mut cancelled), "{name}");
    }
    grpc(&routes, "/greet.v1.Greet/Chat", &[]);
    assert!(!is_cancelled(&mut service.kept.lock().unwrap()[0].0));
}

#[test]
fn a_call_whose_handler_panics_is_cancelled() {
    let service = Waiting::default();
    let router = || Router::new().add(GreetServer::new(service.clone()));
    for routes in [routes(router()), routes(router().intercept(pass))] {
        let answer = grpc(&routes, "/greet.v1.Greet/Greet", &[&text("panic")]);
        assert_eq!(answer.header("grpc-status"), Some("13"));
        let (mut cancelled, _guard) = service.kept.lock().unwrap().pop().unwrap();
        assert!(is_cancelled(&mut cancelled));
    }
}

#[test]
fn an_expired_call_is_cancelled() {
    let service = Waiting::default();
    let routes = routes(Router::new().add(GreetServer::new(service.clone())));
    let head = post("/greet.v1.Greet/Greet", "application/grpc").with_field("grpc-timeout", "10m");
    let mut call = Driven::start(&routes, head);
    call.push(&text("wait")).end().pass(10);
    let (mut cancelled, _guard) = service.kept.lock().unwrap().pop().unwrap();
    assert!(is_cancelled(&mut cancelled));
    assert_eq!(*service.dropped.lock().unwrap(), 1);
}

/// Fails in the ways that applications fail.
struct Failing;

impl Greet for Failing {
    async fn greet(&self, call: &mut Call, request: GreetRequestView<'_>) -> Result<GreetResponse> {
        call.response_headers_mut()?.insert("custom", "1")?;
        match request.name {
            "io" => Err(std::io::Error::other("the password is hunter2"))?,
            "exposed" => Err(Error::from(std::io::Error::other("out of paper")).expose()),
            "number" => {
                "x".parse::<u32>()?;
                Ok(GreetResponse::default())
            }
            _ => {
                let mut metadata = ringwire_service::Metadata::new();
                metadata.insert("retry", "7")?;
                let detail = GreetRequest { name: "detail".into(), ..Default::default() };
                Err(Error::aborted("try again").with_detail(&detail).with_metadata(metadata))
            }
        }
    }
}

#[test]
fn internals_stay_on_the_server() {
    let routes = routes(Router::new().add(GreetServer::new(Failing)));
    for (name, want) in [
        ("io", r#"{"code":"internal","message":"internal error"}"#),
        ("number", r#"{"code":"internal","message":"internal error"}"#),
        ("exposed", r#"{"code":"internal","message":"out of paper"}"#),
    ] {
        let body = format!(r#"{{"name":"{name}"}}"#);
        let head = post("/greet.v1.Greet/Greet", "application/json");
        let answer = now(routes.answer(head, body));
        assert_eq!((answer.status, &answer.body[..]), (500, want.as_bytes()), "{name}");
    }
}

#[test]
fn details_are_typed_and_travel() {
    let routes = routes(Router::new().add(GreetServer::new(Failing)));
    let answer = json(&routes, "/greet.v1.Greet/Greet", "{}");
    let body = std::str::from_utf8(&answer.body).unwrap();
    assert!(body.contains(r#""type":"greet.v1.GreetRequest","value":"CgZkZXRhaWw""#), "{body}");
    assert_eq!((answer.status, answer.header("retry")), (409, Some("7")));
    assert_eq!(answer.header("custom"), Some("1"));
}

#[test]
fn details_come_back_as_messages() {
    let detail = GreetRequestView { name: "borrowed", ..Default::default() };
    let error = Error::new(Code::Aborted, "").with_detail(&detail);
    assert_eq!(error.detail::<GreetRequest>().unwrap().name, "borrowed");
    assert!(error.detail::<ChatRequest>().is_none());
}

#[test]
fn the_deadline_is_what_client_and_server_agree_on() {
    struct Tell(Arc<Mutex<Option<Option<Instant>>>>);
    impl Greet for Tell {
        async fn greet(&self, call: &mut Call, _: GreetRequestView<'_>) -> Result<GreetResponse> {
            *self.0.lock().unwrap() = Some(call.deadline());
            Ok(GreetResponse::default())
        }
    }
    let told = Arc::new(Mutex::new(None));
    let routes = routes(Router::new().add(GreetServer::new(Tell(told.clone()))));
    let head = || post("/greet.v1.Greet/Greet", "application/json");
    let mut call = Driven::start(&routes, head().with_field("connect-timeout-ms", "1500"));
    call.feed("{}".into());
    call.end();
    assert_eq!(*told.lock().unwrap(), Some(Some(call.now + Duration::from_millis(1500))));
    let mut call = Driven::start(&routes, head());
    call.feed("{}".into());
    call.end();
    assert_eq!(*told.lock().unwrap(), Some(None));
}
