//! Connections as transcripts: `testdata/server` says what a server makes of bytes, `testdata/client` what a client does.
//! `machine.rs` says which commands there are.

use ringwire_testing::transcript::check;

mod client;
mod machine;
mod server;

#[test]
fn servers_keep_to_their_transcripts() {
    check("runtime/http1", "testdata/server", machine::Player::<server::Served>::default);
}

#[test]
fn clients_keep_to_their_transcripts() {
    check("runtime/http1", "testdata/client", machine::Player::<client::Asked>::default);
}
