pub(crate) const METHODS: &str = "GET, POST";
pub(crate) const REQUEST_HEADERS: &str = "content-type, x-user-agent";
pub(crate) const RESPONSE_HEADERS: &str = "grpc-status";
