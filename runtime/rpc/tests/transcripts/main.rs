//! Exchanges as transcripts: `testdata/server` says what a server makes of requests, `testdata/client` what a client
//! makes of responses. `server.rs` and `client.rs` say which commands there are.

use ringwire_testing::transcript::check;

mod client;
mod envelopes;
mod server;
mod show;

#[test]
fn server_exchanges_keep_to_their_transcripts() {
    check("runtime/rpc", "testdata/server", server::Server::default);
}

#[test]
fn client_exchanges_keep_to_their_transcripts() {
    check("runtime/rpc", "testdata/client", client::Client::default);
}
