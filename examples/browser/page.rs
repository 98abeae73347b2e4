//! What the page can call: the generated client, over the browser's fetch.

#![forbid(unsafe_code)]

use ringwire_client::{Channel, Incoming};
use ticker_rust::ticker::v1::{ListenRequest, ListenResponse, TickerClient};
use wasm_bindgen::JsError;
use wasm_bindgen::prelude::wasm_bindgen;

fn main() {}

/// Ticks as they come. `free()` it, and the browser tells the server that nobody listens.
#[wasm_bindgen]
pub struct Ticks(Incoming<ListenResponse>);

/// Listens to the server at `origin`.
#[wasm_bindgen]
pub async fn listen(origin: &str, millis: u32) -> Result<Ticks, JsError> {
    let ticker = TickerClient::new(Channel::new(origin).map_err(|error| JsError::new(&error.to_string()))?);
    let request = ListenRequest { millis, ..Default::default() };
    Ok(Ticks(ticker.listen(&request).await.map_err(told)?))
}

#[wasm_bindgen]
impl Ticks {
    /// Waits for the next tick; `undefined` at the end.
    pub async fn next(&mut self) -> Result<Option<u32>, JsError> {
        Ok(self.0.next().await.map_err(told)?.map(|response| response.ticks))
    }
}

fn told(error: ringwire_client::Error) -> JsError {
    JsError::new(&error.to_string())
}
