//! Ringwire services as an axum router: merge it with routes of your own, put layers before it, serve it anywhere.

#![forbid(unsafe_code)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::{ConnectInfo, Request};
use ringwire_service::{Peer, PeerAddress, Router, RouterError};
use ringwire_tower::RpcService;
use tower_service::Service;

/// Turns services into an axum router.
pub trait IntoAxumRouter {
    /// One route per service, `/package.Service/{method}`, so that every other path stays free for other routes and for the
    /// router's own fallback. A [`Router::fallback`] has no path; who wants it mounts an [`RpcService`] as axum's.
    ///
    /// What layers leave in a request's extensions, handlers find in their call's. The peer is known under Ringwire's own
    /// server, and under `axum::serve` with `into_make_service_with_connect_info::<SocketAddr>()`.
    ///
    /// # Errors
    /// The services do not fit together.
    fn into_axum_router<S>(self) -> Result<axum::Router<S>, RouterError>
    where
        S: Clone + Send + Sync + 'static;
}

impl IntoAxumRouter for Router {
    fn into_axum_router<S>(self) -> Result<axum::Router<S>, RouterError>
    where
        S: Clone + Send + Sync + 'static,
    {
        let service = WithPeer { inner: RpcService::new(self)? };
        let names = service.inner.routes().services();
        Ok(names.fold(axum::Router::new(), |router, name| {
            router.route_service(&format!("/{name}/{{method}}"), service.clone())
        }))
    }
}

/// Takes the peer from axum's own server, where that is the one.
#[derive(Clone)]
struct WithPeer {
    inner: RpcService,
}

impl Service<Request> for WithPeer {
    type Response = <RpcService as Service<Request>>::Response;
    type Error = <RpcService as Service<Request>>::Error;
    type Future = <RpcService as Service<Request>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Service::<Request>::poll_ready(&mut self.inner, cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let extensions = request.extensions_mut();
        if extensions.get::<Arc<Peer>>().is_none()
            && let Some(&ConnectInfo(address)) = extensions.get::<ConnectInfo<SocketAddr>>()
        {
            extensions.insert(Arc::new(Peer::new(PeerAddress::Socket(address))));
        }
        self.inner.call(request)
    }
}
