//! What handlers, interceptors and shells see of this package, over the bytes of real requests.

mod calls;
mod deadlines;
mod greet;
mod interceptors;
mod routing;
mod shapes;
mod support;
