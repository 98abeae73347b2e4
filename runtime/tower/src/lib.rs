//! The portable server of Ringwire: any tower service over HTTP, on hyper.
//!
//! [`Server`] accepts connections, speaks HTTP/1.1 and HTTP/2 on one port, with or without TLS, bounds everything that a peer
//! can hold up or pile up, and drains. [`RpcService`] is the same router as a tower service, for any other server or stack.
//!
//! ```no_run
//! use ringwire_service::Router;
//! use ringwire_tower::{Cors, RpcService, ServeError, Server, terminated};
//! use tower_layer::Layer;
//!
//! # async fn run(router: Router) -> Result<(), ServeError> {
//! // Every limit and time-out has a safe default.
//! Server::bind("127.0.0.1:8080").until(terminated()).serve(router.clone()).await?;
//!
//! // With a layer before it.
//! let service = Cors::origins(["https://app.example"]).layer(RpcService::new(router)?);
//! Server::bind("127.0.0.1:8080").serve(service).await
//! # }
//! ```

#![forbid(unsafe_code)]

mod body;
mod connection;
mod cors;
mod detect;
mod drain;
mod error;
mod hook;
mod listener;
mod meter;
mod options;
mod progress;
mod rpc;
mod scan;
mod server;
mod service;
mod stream;
mod tls;
mod transport;

pub use body::{BodyError, RequestBody};
pub use cors::{Cors, CorsBody, CorsFuture, CorsService};
pub use drain::{Drained, Handle, Load, terminated};
pub use error::ServeError;
pub use hook::HttpService;
pub use listener::{Address, IntoListener, Listener};
pub use options::{Deadlines, Limits};
pub use rpc::{RpcBody, RpcFuture, RpcService};
pub use server::Server;
pub use service::{IntoService, Rpc, Tower};
pub use tls::{Tls, rustls};

/// Any error, as tower services and bodies give it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
