//! Serves the ticks, and the page that shows them, on one port.

#![forbid(unsafe_code)]

use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use ringwire::{Call, Error, Responses, Result, Router, Server, terminated};
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

/// The files of the page: `folder` is what `wasm_module` made.
fn files(folder: &str) -> Result<axum::Router, String> {
    let file = |path: PathBuf, kind: &'static str| -> Result<_, String> {
        // Read once: a page of a few files.
        let bytes =
            std::fs::read(&path).map(Bytes::from).map_err(|error| format!("{}: {error}", path.display()));
        bytes.map(|bytes| get(async move || ([(CONTENT_TYPE, kind)], bytes)))
    };
    let folder = PathBuf::from(folder);
    Ok(axum::Router::new()
        .route("/", get(async || axum::response::Html(include_str!("index.html"))))
        .route("/program.js", file(folder.join("program.js"), "text/javascript")?)
        .route("/program_bg.wasm", file(folder.join("program_bg.wasm"), "application/wasm")?))
}

#[tokio::main]
async fn main() -> Result<()> {
    let folder = std::env::args().nth(1).ok_or_else(|| Error::invalid_argument("usage: server FOLDER"))?;
    let files = files(&folder).map_err(Error::not_found)?;
    let server = Server::bind("127.0.0.1:0").until(terminated());
    println!("listening on http://{}", server.local_address()?);
    let services = Router::new().add(TickerServer::new(Clock)).into_axum_router()?;
    Ok(server.serve(services.merge(files)).await?)
}
