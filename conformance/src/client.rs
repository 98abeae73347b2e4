//! The pooled client as a program under test: many calls at once, answered as they end.

use crate::calling::{Refused, call};
use crate::compat;
use conformance_rust::connectrpc::conformance::v1::client_compat_response::Result as Outcome;
use conformance_rust::connectrpc::conformance::v1::{
    ClientCompatRequest, ClientCompatResponse, ClientErrorResult, ClientResponseResult, HTTPVersion,
};
use ringwire_client::Channel;
use ringwire_message::Types;
use ringwire_pool::{HttpVersion, PoolOptions, Tls};
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Makes the calls that the runner asks for, until it asks for no more. `around` is what every channel goes through.
///
/// # Errors
/// The runner says what no program should be told, or listens no longer.
pub async fn run(around: fn(Channel) -> Channel) -> io::Result<()> {
    Types::new().with(conformance_rust::register_types).install();
    let (asking, mut asked) = mpsc::channel(1);
    // Standard input blocks. The thread ends with the runner's last word, or with the program.
    let reading = std::thread::spawn(move || -> io::Result<()> {
        while let Some(request) = compat::receive::<ClientCompatRequest>(&mut io::stdin().lock())? {
            if asking.blocking_send(request).is_err() {
                break;
            }
        }
        Ok(())
    });
    let channels = Arc::new(Channels::default());
    let mut calls = JoinSet::new();
    loop {
        tokio::select! {
            // The runner asks for all that it has at once.
            request = asked.recv(), if calls.len() < CALLS_MAX => match request {
                Some(request) => {
                    let channels = channels.clone();
                    calls.spawn(async move { answer(request, &channels, around).await });
                }
                None => break,
            },
            Some(answer) = calls.join_next() => say(answer)?,
        }
    }
    while let Some(answer) = calls.join_next().await {
        say(answer)?;
    }
    reading.join().unwrap_or_else(|_| Err(io::Error::other("reading panicked")))
}

async fn answer(
    request: ClientCompatRequest,
    channels: &Channels,
    around: fn(Channel) -> Channel,
) -> ClientCompatResponse {
    let test_name = request.test_name.clone();
    let outcome = async {
        let channel = channels.channel(&request)?;
        call(request, around(channel)).await
    };
    let result: Result<ClientResponseResult, Refused> = outcome.await;
    ClientCompatResponse {
        test_name,
        result: Some(match result {
            Ok(response) => Outcome::Response(Box::new(response)),
            Err(Refused(message)) => {
                Outcome::Error(Box::new(ClientErrorResult { message, ..Default::default() }))
            }
        }),
        ..ClientCompatResponse::default()
    }
}

fn say(answer: Result<ClientCompatResponse, tokio::task::JoinError>) -> io::Result<()> {
    compat::send(&mut io::stdout().lock(), &answer.map_err(io::Error::other)?)
}

/// One channel, and so one pool of connections, for each server, version of HTTP, and identity.
#[derive(Default)]
struct Channels(Mutex<HashMap<Key, Channel>>);

#[derive(Clone, Eq, Hash, PartialEq)]
struct Key {
    origin: String,
    is_http2: bool,
    server: Vec<u8>,
    identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl Channels {
    fn channel(&self, request: &ClientCompatRequest) -> Result<Channel, Refused> {
        let is_tls = !request.server_tls_cert.is_empty();
        let scheme = if is_tls { "https" } else { "http" };
        let origin = format!("{scheme}://{}:{}", request.host, request.port);
        let is_http2 = match request.http_version.as_known() {
            Some(HTTPVersion::HTTP_VERSION_1) => false,
            Some(HTTPVersion::HTTP_VERSION_2) => true,
            _ => return Err(Refused("only HTTP/1.1 and HTTP/2".to_owned())),
        };
        let identity = request.client_tls_creds.as_option();
        let identity = identity.map(|identity| (identity.cert.clone(), identity.key.clone()));
        let server = request.server_tls_cert.clone();
        let key = Key { origin, is_http2, server, identity };
        let mut channels = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = channels.get(&key) {
            return Ok(channel.clone());
        }
        let version = if is_http2 { HttpVersion::Http2 } else { HttpVersion::Http1 };
        let mut options = PoolOptions::new().http(version);
        if is_tls {
            options = options.tls(key.tls().map_err(|error| Refused::new(&error))?);
        }
        let channel = Channel::pooled(&key.origin, options).map_err(|error| Refused::new(&error))?;
        channels.insert(key, channel.clone());
        Ok(channel)
    }
}

// Enough for connections to be shared and answers to be out of order, and few enough for a small machine to cancel in time.
const CALLS_MAX: usize = 16;

impl Key {
    fn tls(&self) -> io::Result<Tls> {
        match &self.identity {
            Some((certificates, key)) => Tls::with_identity(&self.server, certificates, key),
            None => Tls::with_roots(&self.server),
        }
    }
}
