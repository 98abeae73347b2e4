//! Binary metadata: base64 on the wire, padded or not, and never changed on the way.

use crate::call::{Call, Shown};
use crate::case::Case;
use crate::protocol::Method;

pub(super) fn cases() -> Vec<Case> {
    let all = [Method::Unary, Method::IdempotentUnary, Method::ClientStream];
    let streams = [Method::ServerStream, Method::BidiStream];
    vec![
        Call::of(&all)
            .say("{}")
            .field("x-key-bin", "AP8B")
            .show(&[Shown::Seen("x-key-bin")])
            .case("a binary header reaches the handler")
            .want("ok, saw x-key-bin: AP8B"),
        Call::of(&all)
            .say("{}")
            .field("x-key-bin", "AA==")
            .field("x-key-bin", "AQ")
            .show(&[Shown::Seen("x-key-bin")])
            .case("padded or not, each as it came")
            .want("ok, saw x-key-bin: AA== | AQ"),
        Call::of(&all)
            .say("{}")
            .field("x-key-bin", "")
            .show(&[Shown::Seen("x-key-bin")])
            .case("a binary header may be empty")
            .want("ok, saw x-key-bin: "),
        Call::of(&all)
            .say(r#"{"responseDefinition":{"responseHeaders":[{"name":"x-key-bin","value":["AP8B","AQ"]}],"responseTrailers":[{"name":"x-end-bin","value":["/+8"]}]}}"#)
            .show(&[Shown::Header("x-key-bin"), Shown::Trailer("x-end-bin")])
            .case("binary headers and trailers reach the client")
            .want("ok, x-key-bin: AP8B | AQ, x-end-bin: /+8"),
        Call::of(&streams)
            .say(r#"{"responseDefinition":{"responseData":["AAAA"],"responseHeaders":[{"name":"x-key-bin","value":["AP8B","AQ"]}],"responseTrailers":[{"name":"x-end-bin","value":["/+8"]}]}}"#)
            .show(&[Shown::Header("x-key-bin"), Shown::Trailer("x-end-bin")])
            .case("so do those of a stream")
            .want("ok, x-key-bin: AP8B | AQ, x-end-bin: /+8"),
        Call::of(&streams)
            .say(r#"{"responseDefinition":{"error":{"code":"CODE_ABORTED"},"responseHeaders":[{"name":"x-key-bin","value":["AP8B"]}],"responseTrailers":[{"name":"x-end-bin","value":["/+8"]}]}}"#)
            .show(&[Shown::Header("x-key-bin"), Shown::Trailer("x-end-bin")])
            .case("so do those of a stream that fails")
            .want("aborted, x-key-bin: AP8B, x-end-bin: /+8"),
        Call::of(&all)
            .say("{}")
            .field("X-Many", "one")
            .field("x-many", "two, three")
            .show(&[Shown::Seen("x-many")])
            .case("a header may have many values, and any case")
            .want("ok, saw x-many: one | two, three"),
        Call::of(&all)
            .say(r#"{"responseDefinition":{"responseHeaders":[{"name":"x-text","value":["a\r\nx-forged: 1"]}]}}"#)
            .show(&[Shown::Header("x-forged")])
            .case("a handler cannot forge a header")
            .want("internal, x-forged: ")
            .connect_go("ok, x-forged: ", "Go makes spaces of line ends"),
        Call::of(&all)
            .say(r#"{"responseDefinition":{"responseTrailers":[{"name":"x-text","value":["a\r\nx-forged: 1"]}]}}"#)
            .show(&[Shown::Trailer("x-forged")])
            .case("a handler cannot forge a trailer")
            .want("internal, x-forged: ")
            .connect_go("ok, x-forged: ", "Go makes spaces of line ends"),
    ]
}
