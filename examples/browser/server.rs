//! Serves the ticks, and the page that shows them, on one port.

#![forbid(unsafe_code)]

use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use ringwire::tower::{Server, terminated};
use ringwire::{Call, Error, Responses, Result, Router};
use ringwire_axum::IntoAxumRouter;
use std::path::PathBuf;
use std::time::Duration;
use ticker_rust::ticker::v1::*;

struct Clock;

impl Ticker for Clock {
    async fn listen(
        &self,
        _: &mut Call,
        request: ListenRequestView<'_>,
        mut responses: Responses<'_, ListenResponse>,
    ) -> Result<()> {
        if request.millis == 0 {
            return Err(Error::invalid_argument("there is some time between two ticks"));
        }
        let mut ticks = tokio::time::interval(Duration::from_millis(request.millis.into()));
        for count in 1.. {
            ticks.tick().await;
            responses.send(&ListenResponse { ticks: count, ..Default::default() }).await?;
        }
        Ok(())
    }
}

/// A file of the page: `folder` is what `wasm_module` made.
fn files(folder: &str) -> axum::Router {
    let file = |path: PathBuf, kind: &'static str| {
        get(async move || match tokio::fs::read(path).await {
            Ok(bytes) => Ok(([(CONTENT_TYPE, kind)], bytes)),
            Err(error) => Err(error.to_string()),
        })
    };
    let folder = PathBuf::from(folder);
    axum::Router::new()
        .route("/", get(async || axum::response::Html(include_str!("index.html"))))
        .route("/program.js", file(folder.join("program.js"), "text/javascript"))
        .route("/program_bg.wasm", file(folder.join("program_bg.wasm"), "application/wasm"))
}

#[tokio::main]
async fn main() -> Result<()> {
    let folder = std::env::args().nth(1).ok_or_else(|| Error::invalid_argument("usage: server FOLDER"))?;
    let server = Server::bind("127.0.0.1:0").until(terminated());
    println!("listening on http://{}", server.local_address()?);
    let services = Router::new().add(TickerServer::new(Clock)).into_axum_router()?;
    server.serve(services.merge(files(&folder))).await
}
