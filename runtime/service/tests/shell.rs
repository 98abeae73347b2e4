//! A new shell, written from the crate documentation alone: calls over blocking readers and writers.

#[path = "service/greet/mod.rs"]
mod greet;

use bytes::{Bytes, BytesMut};
use greet::*;
use ringwire_http::Head;
use ringwire_service::{
    Arrival, Call, Code, Ended, Input, Outbox, Requests, Responses, Result, Router, Routes, Step, post_head,
};
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

// The shell, in thirty lines.
type Fields = Vec<(String, Vec<u8>)>;

fn serve(routes: &Routes, head: Head, mut from: impl Read, mut to: impl Write) -> io::Result<Ended> {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let (mut fields, mut body, mut chunk) = (Fields::new(), BytesMut::new(), [0; 1024]);
    let mut call = routes.start(Arrival::new(head), Instant::now());
    loop {
        let mut outbox = Outbox { fields: &mut fields, body: &mut body };
        let step = call.poll(&mut Context::from_waker(&waker), Instant::now(), &mut outbox);
        if let Step::Head(status) = step {
            write!(to, "HTTP/1.1 {status}\r\ntransfer-encoding: chunked\r\n{}\r\n", text(&mut fields))?;
        }
        if !body.is_empty() {
            to.write_all(&[format!("{:x}\r\n", body.len()).as_bytes(), &body, b"\r\n"].concat())?;
            call.handle_sent(body.len());
            body.clear();
        }
        match step {
            Step::Head(_) | Step::Body => {}
            Step::Done(ended) => return write!(to, "0\r\n{}\r\n", text(&mut fields)).map(|()| ended),
            Step::Wait { input: true, .. } => match from.read(&mut chunk)? {
                0 => call.handle_input(Input::End),
                len => call.handle_input(Input::Data(Bytes::copy_from_slice(&chunk[..len]))),
            },
            Step::Wait { until: Some(until), .. } => thread::park_timeout(until - Instant::now()),
            Step::Wait { until: None, .. } => thread::park(),
        }
    }
}
// That was all of it, but for two helpers.

fn text(fields: &mut Fields) -> String {
    let line = |(name, value): (String, Vec<u8>)| format!("{name}: {}\r\n", value.escape_ascii());
    fields.drain(..).map(line).collect()
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Answers from another thread, never, or with each line.
struct Elsewhere;

impl Greet for Elsewhere {
    async fn greet(&self, _: &mut Call, request: GreetRequestView<'_>) -> Result<GreetResponse> {
        if request.name == "never" {
            std::future::pending::<()>().await;
        }
        let mut asked = false;
        std::future::poll_fn(|cx| {
            if std::mem::replace(&mut asked, true) {
                return Poll::Ready(());
            }
            let waker = cx.waker().clone();
            thread::spawn(move || waker.wake());
            Poll::Pending
        })
        .await;
        Ok(GreetResponse { greeting: format!("Hello, {}!", request.name), ..Default::default() })
    }

    async fn chat(
        &self,
        _: &mut Call,
        mut requests: Requests<'_, ChatRequest>,
        mut responses: Responses<'_, ChatResponse>,
    ) -> Result<()> {
        while let Some(request) = requests.next().await? {
            responses.send(&ChatResponseView { line: request.line, ..Default::default() }).await?;
        }
        Ok(())
    }
}

/// Serves one request; returns the response with its fields in order of their names, and the code of the error.
fn answer(head: Head, request: &[u8]) -> (String, Option<Code>) {
    let routes = Router::new().add(GreetServer::new(Elsewhere)).build().unwrap();
    let mut response = Vec::new();
    let ended = serve(&routes, head, request, &mut response).unwrap();
    (response.escape_ascii().to_string().replace("\\r\\n", "\n"), ended.code)
}

#[test]
fn it_answers_a_unary_call_whose_handler_is_woken_elsewhere() {
    let (response, code) =
        answer(post_head("/greet.v1.Greet/Greet", "application/json"), br#"{"name":"Ada"}"#);
    assert!(
        response.starts_with("HTTP/1.1 200\ntransfer-encoding: chunked\ncontent-type: application/json\n")
    );
    assert!(response.ends_with("\n\n1a\n{\\\"greeting\\\":\\\"Hello, Ada!\\\"}\n0\n\n"), "{response}");
    assert_eq!(code, None);
}

#[test]
fn it_carries_streams_and_trailers() {
    let mut request = Vec::new();
    for line in ["one", "two"] {
        request.extend_from_slice(&[0, 0, 0, 0, 5, 0x0a, 3]);
        request.extend_from_slice(line.as_bytes());
    }
    let (response, code) = answer(post_head("/greet.v1.Greet/Chat", "application/grpc"), &request);
    let (_, body) = response.split_once("\n\n").unwrap();
    assert!(body.contains("one") && body.contains("two"), "{response}");
    assert!(body.ends_with("\n0\ngrpc-status: 0\n\n"), "{response}");
    assert_eq!(code, None);
}

#[test]
fn it_ends_a_call_whose_time_is_over() {
    let head = post_head("/greet.v1.Greet/Greet", "application/json").with_field("connect-timeout-ms", "1");
    let (response, code) = answer(head, br#"{"name":"never"}"#);
    assert!(response.contains("deadline_exceeded"), "{response}");
    assert_eq!(code, Some(Code::DeadlineExceeded));
}

#[test]
fn it_is_thirty_lines() {
    let text = include_str!("shell.rs");
    let (_, shell) = text.split_once("in thirty lines.\n").unwrap();
    let (shell, _) = shell.split_once("// That was all of it").unwrap();
    let lines = shell.lines().filter(|line| !line.is_empty()).count();
    assert!(lines <= 30, "{lines} lines");
}
