//! What a browser must be told before a script of another origin can call, in any protocol: the lists of a CORS policy.
//!
//! Browsers ask permission for what follows here and not for `accept`, `content-length` and the like. The application's own
//! header fields are for the application to add. <https://fetch.spec.whatwg.org/#http-cors-protocol>

/// The methods of calls.
pub const METHODS: &str = "GET, POST";

/// The fields that clients in browsers send.
pub const REQUEST_HEADERS: &str = "content-type, content-encoding, connect-protocol-version, connect-timeout-ms, \
    connect-content-encoding, connect-accept-encoding, grpc-timeout, grpc-encoding, grpc-accept-encoding, x-grpc-web, \
    x-user-agent";

/// The fields that clients in browsers read, and that a script sees only by permission.
pub const RESPONSE_HEADERS: &str =
    "connect-content-encoding, grpc-encoding, grpc-status, grpc-message, grpc-status-details-bin";
