//! The names of the header fields of all protocols, as tokens: a look-up in a head that was classified with them is an index.

use ringwire_http::{Names, Token};

macro_rules! protocol_tokens {
    ($($place:literal $constant:ident $name:literal)*) => {
        $(pub(crate) const $constant: Token = Token::extra($place, $name);)*

        /// The names that a connection of ours classifies: those of HTTP, and those of every protocol. Heads of requests must be
        /// classified with them.
        pub static NAMES: Names = Names::new(&[$($constant),*]);
    };
}

protocol_tokens! {
    0 CONNECT_PROTOCOL_VERSION "connect-protocol-version"
    1 CONNECT_TIMEOUT_MS "connect-timeout-ms"
    2 CONNECT_CONTENT_ENCODING "connect-content-encoding"
    3 CONNECT_ACCEPT_ENCODING "connect-accept-encoding"
    4 GRPC_TIMEOUT "grpc-timeout"
    5 GRPC_ENCODING "grpc-encoding"
    6 GRPC_ACCEPT_ENCODING "grpc-accept-encoding"
    7 GRPC_STATUS "grpc-status"
    8 GRPC_MESSAGE "grpc-message"
    9 GRPC_STATUS_DETAILS_BIN "grpc-status-details-bin"
    10 GRPC_PREVIOUS_RPC_ATTEMPTS "grpc-previous-rpc-attempts"
    11 GRPC_RETRY_PUSHBACK_MS "grpc-retry-pushback-ms"
    12 X_GRPC_WEB "x-grpc-web"
    13 X_USER_AGENT "x-user-agent"
}
