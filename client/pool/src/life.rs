//! The life of one connection, as its observer is told of it.

use crate::Address;
use crate::gate::Shared;
use crate::wire::Wire;
use ringwire_call::{Connection, ConnectionChange, ConnectionEnd, Observed, ObservedId, Observer};
use ringwire_transport::TransportError;
use std::fmt;
use std::sync::{Arc, OnceLock};
use tokio::time::Instant;

/// The life of one connection.
pub(crate) struct Life {
    wish: OnceLock<Wish>,
    told: Option<Told>,
}

/// Why this end wants a connection to end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Wish {
    Idle,
    Age,
    Drain,
}

/// Who is told, and of what.
struct Told {
    observer: Arc<dyn Observer>,
    id: ObservedId,
    origin: String,
    address: Address,
    born: Instant,
}

impl Life {
    pub(crate) fn new(shared: &Shared, address: &Address) -> Arc<Self> {
        let told = shared.observer.get().map(|observer| Told {
            observer: observer.clone(),
            id: ObservedId::next(),
            origin: shared.origin.url(),
            address: address.clone(),
            born: Instant::now(),
        });
        Arc::new(Self { wish: OnceLock::new(), told })
    }

    /// The connection can carry requests.
    pub(crate) fn opened(&self) {
        self.tell(ConnectionChange::Opened);
    }

    /// This end wants it to end; the first reason counts.
    pub(crate) fn wish(&self, wish: Wish) {
        let _ = self.wish.set(wish);
    }

    /// It has ended; with `outcome`, unless whoever drove it was stopped.
    pub(crate) fn ended(&self, outcome: Option<&hyper::Result<()>>, wire: &Wire) {
        let Some(told) = &self.told else { return };
        let reason = match (outcome, self.wish.get()) {
            (Some(Err(error)), _) => ConnectionEnd::Broken(error),
            (_, Some(Wish::Idle)) => ConnectionEnd::Idle,
            (_, Some(Wish::Age)) => ConnectionEnd::Age,
            (_, Some(Wish::Drain)) => ConnectionEnd::Drain,
            (Some(Ok(())), None) if wire.has_said_all() => ConnectionEnd::Peer,
            // The request was told what.
            (Some(Ok(())), None) => ConnectionEnd::Broken(&NotHttp),
            (None, None) => ConnectionEnd::Cancelled,
        };
        self.tell(ConnectionChange::Ended { reason, open: told.born.elapsed() });
    }

    fn tell(&self, change: ConnectionChange<'_>) {
        let Some(Told { observer, id, origin, address, .. }) = &self.told else { return };
        let peer = match address {
            Address::Tcp(address) => Some(*address),
            Address::Unix(_) => None,
        };
        let connection = Connection { id: *id, peer, origin: Some(origin), change };
        observer.on(&Observed::ClientConnection(&connection));
    }
}

/// The peer has sent what cannot be read.
#[derive(Debug)]
struct NotHttp;

impl fmt::Display for NotHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the peer has sent what is no response")
    }
}

impl std::error::Error for NotHttp {}

/// Tells that a connection could not be opened.
pub(crate) fn not_opened(shared: &Shared, error: &TransportError) {
    let Some(observer) = shared.observer.get() else { return };
    let (id, origin) = (ObservedId::next(), shared.origin.url());
    let change = ConnectionChange::Failed(error);
    observer.on(&Observed::ClientConnection(&Connection { id, peer: None, origin: Some(&origin), change }));
}
