//! A server ends calls when their time is up, whatever the handler and the client do.

use crate::call::{Call, Shown};
use crate::case::Case;
use crate::protocol::{Method, Protocol};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Call::of(&[Method::Unary, Method::IdempotentUnary, Method::ClientStream])
            .say(r#"{"responseDefinition":{"responseData":"AAAA","responseDelayMs":3000}}"#)
            .timeout_ms(200)
            .case("a handler that takes too long is ended")
            .want("deadline_exceeded")
            .connect_go("ok", SLEEPS_ON),
        Call::of(&[Method::ServerStream, Method::BidiStream])
            .say(r#"{"responseDefinition":{"responseData":["AAAA"],"responseDelayMs":3000}}"#)
            .timeout_ms(200)
            .show(&[Shown::Messages])
            .case("a stream that takes too long is ended, though its headers have left")
            .want("deadline_exceeded, messages 0")
            .connect_go("ok, messages 1", SLEEPS_ON),
        Call::of(&[Method::ServerStream, Method::BidiStream])
            .say(r#"{"responseDefinition":{"responseData":["AAAA","AAAA"],"responseDelayMs":700}}"#)
            .timeout_ms(1000)
            .show(&[Shown::Messages])
            .case("what a stream has sent before its time is up arrives")
            .want("deadline_exceeded, messages 1")
            .connect_go("ok, messages 2", SLEEPS_ON),
        Call::of(&[Method::ClientStream, Method::BidiStream])
            .say("{}")
            .timeout_ms(200)
            .open()
            .case("a handler that waits for a client is ended")
            .want("deadline_exceeded")
            .connect_go("silence", READS_ON),
        Call::of(&[Method::Unary])
            .body("{")
            .timeout_ms(200)
            .open()
            .via(&[Protocol::Connect])
            .case("a request that does not come to its end is given up when its time is up")
            .want("deadline_exceeded")
            .connect_go("silence", READS_ON),
        Call::of(&[Method::Unary, Method::ServerStream])
            .say("{}")
            .timeout_ms(0)
            .case("a call without any time ends at once")
            .want("deadline_exceeded")
            .connect_go_where("unary", "unknown", "it says so when it reads the request")
            .connect_go_where("serverstream", "ok", SLEEPS_ON),
        Call::of(&[Method::Unary])
            .say("{}")
            .via(&[Protocol::Connect])
            .field("connect-timeout-ms", "soon")
            .case("a timeout that is no number is refused")
            .want("invalid_argument"),
        Call::of(&[Method::Unary])
            .say("{}")
            .via(&[Protocol::Grpc, Protocol::GrpcWeb])
            .field("grpc-timeout", "200")
            .case("a timeout without a unit is refused")
            .want("invalid_argument"),
        Call::of(&[Method::Unary])
            .say("{}")
            .via(&[Protocol::Connect])
            .field("connect-timeout-ms", "9999999999")
            .case("the longest timeout of Connect is taken")
            .want("ok"),
        Call::of(&[Method::Unary])
            .say("{}")
            .via(&[Protocol::Grpc, Protocol::GrpcWeb])
            .field("grpc-timeout", "99999999H")
            .case("the longest timeout of gRPC is taken")
            .want("ok"),
    ]
}

const SLEEPS_ON: &str = "a handler has to look at its context; this one sleeps";
const READS_ON: &str = "reading a request does not look at the deadline";
