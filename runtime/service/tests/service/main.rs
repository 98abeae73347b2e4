//! What handlers, interceptors and shells see of this package, over the bytes of real requests.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod allocations;
mod api_page;
mod bounds;
mod calls;
mod compression;
mod deadlines;
mod driving;
mod greet;
mod interceptors;
mod observing;
mod odd_names;
mod panics;
mod routing;
mod shapes;
mod support;
