//! Channels over connections of our own.

use crate::origin::Base;
use crate::{Channel, ChannelError, Result};
use ringwire_pool::{Pool, PoolOptions};
use std::sync::Arc;

impl Channel {
    /// Calls to an origin, over connections that are opened when they are needed: `http://127.0.0.1:8080`,
    /// `https://greet.example/api`, `unix:/run/greet.sock`.
    ///
    /// # Errors
    /// It is no such origin, or the platform has no roots to trust.
    pub fn new(origin: &str) -> Result<Self, ChannelError> {
        Self::pooled(origin, PoolOptions::new())
    }

    /// Calls to an origin, over connections that are made, kept and shared as the options say.
    ///
    /// # Errors
    /// It is no origin, or TLS cannot be had as the options want it.
    pub fn pooled(origin: &str, options: PoolOptions) -> Result<Self, ChannelError> {
        let is_path = origin.starts_with(UNIX);
        let base = Base::parse(if is_path { UNIX_HOST } else { origin })?;
        let place = if is_path { origin.to_owned() } else { base.without_prefix() };
        let pool = Pool::new(&place, options).map_err(|error| ChannelError::Connections(Arc::new(error)))?;
        Ok(Self::of(Arc::new(pool), base))
    }
}

const UNIX: &str = "unix:";
/// The host of requests over a Unix socket.
const UNIX_HOST: &str = "http://localhost";
