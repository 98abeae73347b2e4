//! What a server can be told to serve.

use std::future::Future;

use ringwire_service::Router;

use crate::ServeError;
use crate::hook::HttpService;
use crate::rpc::RpcService;

/// A [`Router`], or any tower service over HTTP. `K` is which of the two, and is always inferred.
pub trait IntoService<K> {
    /// What serves the requests.
    type Service: HttpService;

    /// Checks that it can be served.
    ///
    /// # Errors
    /// The router does not fit together.
    fn into_service(self) -> Result<Self::Service, ServeError>;

    /// Waits until nothing runs that may outlive its connection, so that a draining server can go.
    fn idle(service: Self::Service) -> impl Future<Output = ()> + Send;
}

/// Says that an [`IntoService`] is a router.
#[derive(Debug)]
pub enum Rpc {}

/// Says that an [`IntoService`] is a tower service.
#[derive(Debug)]
pub enum Tower {}

impl IntoService<Rpc> for Router {
    type Service = RpcService;

    fn into_service(self) -> Result<RpcService, ServeError> {
        Ok(RpcService::new(self)?)
    }

    async fn idle(service: RpcService) {
        service.routes().idle().await;
    }
}

impl<S: HttpService> IntoService<Tower> for S {
    type Service = S;

    fn into_service(self) -> Result<S, ServeError> {
        Ok(self)
    }

    async fn idle(_: S) {}
}
