//! Channels over connections of our own.

use crate::error::bad_argument;
use crate::origin::Base;
use crate::{Channel, Result};
use ringwire_pool::{Pool, PoolOptions};
use std::sync::Arc;

impl Channel {
    /// Calls to an origin, over connections that are opened when they are needed: `http://127.0.0.1:8080`,
    /// `https://greet.example/api`, `unix:/run/greet.sock`.
    ///
    /// # Errors
    /// It is no such origin, or the platform has no roots to trust.
    pub fn new(origin: &str) -> Result<Self> {
        Self::pooled(origin, PoolOptions::new())
    }

    /// The same, with a word on how connections are made, kept and shared.
    ///
    /// # Errors
    /// It is no origin, or TLS cannot be had as the options want it.
    pub fn pooled(origin: &str, options: PoolOptions) -> Result<Self> {
        let is_path = origin.starts_with(UNIX);
        let base = Base::parse(if is_path { UNIX_HOST } else { origin })?;
        let place = if is_path { origin.to_owned() } else { base.without_prefix() };
        let pool = Pool::new(&place, options).map_err(bad_argument)?;
        Ok(Self::of(Arc::new(pool), base))
    }
}

const UNIX: &str = "unix:";
/// What requests over a Unix socket say that they are for.
const UNIX_HOST: &str = "http://localhost";
