//! From addresses to an HTTP connection, with a bound on each step.

use crate::error::failed;
use crate::gate::Shared;
use crate::tls::{ALPN_HTTP2, Offer};
use crate::{Address, HttpVersion, Io, eyeballs, http1, http2};
use ringwire_transport::{BoxError, TransportError, TransportErrorKind};
use std::io;
use std::time::Duration;
use tokio::time::timeout;

/// What the connections of a channel speak.
#[derive(Clone)]
pub(crate) enum Lane {
    Http1,
    /// By prior knowledge.
    Http2,
    /// What TLS agrees on.
    Agreed(Box<Offer>, HttpVersion),
}

/// An open connection.
pub(crate) enum Opened {
    Http1(http1::Opened),
    Http2(http2::Opened),
}

/// Opens a connection to one of the addresses. No error of it can have reached a handler.
pub(crate) async fn connect(
    shared: &Shared,
    lane: &Lane,
    addresses: &[Address],
    name: &str,
    keepalive: Option<Duration>,
) -> Result<(Address, Opened), TransportError> {
    let timings = &shared.options.timings;
    let race = eyeballs::race(&*shared.options.dialer, addresses, timings.stagger);
    let (address, io) = match timeout(timings.connect, race).await {
        Ok(Ok(connected)) => connected,
        Ok(Err((address, error))) => {
            let peer = address.map_or_else(|| name.to_owned(), |address| address.to_string());
            return Err(failed(TransportErrorKind::Connect, &peer, error).unprocessed());
        }
        Err(_) => {
            let error = io::Error::new(io::ErrorKind::TimedOut, "no address answered in time");
            return Err(failed(TransportErrorKind::Connect, name, error).unprocessed());
        }
    };
    match timeout(timings.handshake, handshake(shared, lane, io, keepalive)).await {
        Ok(Ok(opened)) => Ok((address, opened)),
        Ok(Err(error)) => {
            Err(failed(TransportErrorKind::Handshake, &address.to_string(), error).unprocessed())
        }
        Err(_) => {
            let error = io::Error::new(io::ErrorKind::TimedOut, "the handshake took too long");
            Err(failed(TransportErrorKind::Handshake, &address.to_string(), error).unprocessed())
        }
    }
}

async fn handshake(
    shared: &Shared,
    lane: &Lane,
    io: Box<dyn Io>,
    keepalive: Option<Duration>,
) -> Result<Opened, BoxError> {
    let (io, is_http2): (Box<dyn Io>, bool) = match lane {
        Lane::Http1 => (io, false),
        Lane::Http2 => (io, true),
        Lane::Agreed(offer, http) => {
            let stream = offer.connector.connect(offer.server_name.clone(), io).await?;
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(ALPN_HTTP2);
            if !is_http2 && *http == HttpVersion::Http2 {
                return Err("the peer does not agree on HTTP/2".into());
            }
            (Box::new(stream), is_http2)
        }
    };
    Ok(if is_http2 {
        Opened::Http2(http2::handshake(io, shared, keepalive).await?)
    } else {
        Opened::Http1(http1::handshake(io, shared).await?)
    })
}
