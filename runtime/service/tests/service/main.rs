//! What handlers, interceptors and shells see of this package, over the bytes of real requests.

mod allocations;
mod bounds;
mod calls;
mod deadlines;
mod driving;
mod greet;
mod interceptors;
mod panics;
mod routing;
mod shapes;
mod support;
