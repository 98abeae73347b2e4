//! The services of a router as a `tower::Service`, for people who bring an HTTP server; and CORS as a tower layer.
//!
//! ```
//! use ringwire_service::{Router, RouterError};
//! use ringwire_tower::{Cors, RpcService};
//! use tower_layer::Layer;
//!
//! # fn make(router: Router) -> Result<(), RouterError> {
//! let service = Cors::origins(["https://app.example"]).layer(RpcService::new(router)?);
//! # let _ = service;
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod cors;
mod rpc;

pub use cors::{Cors, CorsBody, CorsFuture, CorsService};
pub use rpc::{RpcBody, RpcFuture, RpcService};

/// Any error, as tower services and bodies give it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
