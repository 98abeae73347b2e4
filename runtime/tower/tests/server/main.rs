//! The standalone server from outside: what it serves, and what it does to peers that hold things up.
//!
//! Connections are pipes in memory and the clock is virtual, so that ten minutes of silence take none.

mod drain;
mod ordinary;
mod slow;
mod support;
mod tls;
