//! What handlers, interceptors and shells see of this package, over the bytes of real requests.

mod calls;
mod greet;
mod shapes;
mod support;
