//! The calls that the test makes from JavaScript. Each says in a line what came of it.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)] // A test's way to fail.

use probe_rust::probe::v1::*;
use ringwire_client::fetch::{Fetch, sleep};
use ringwire_client::{Channel, ClientProtocol, Error, GetPolicy, Json};
use std::fmt::Write;
use std::time::Duration;
use wasm_bindgen::prelude::wasm_bindgen;

fn main() {}

/// Makes all calls to the server at `origin`.
#[wasm_bindgen]
pub async fn probe(origin: String) -> String {
    let mut said = String::new();
    let channel = Channel::over(Fetch::new(), &origin).unwrap();
    for (name, protocol) in [("connect", ClientProtocol::CONNECT), ("grpc-web", ClientProtocol::GRPC_WEB)] {
        let prober = ProberClient::new(channel.clone().protocol(protocol));
        writeln!(said, "{name}").unwrap();
        writeln!(said, "echo: {}", told(echo(&prober, "ring").await)).unwrap();
        writeln!(said, "refused: {}", told(echo(&prober, "").await)).unwrap();
        writeln!(said, "count: {}", told(count(&prober, 3).await)).unwrap();
        writeln!(said, "sum: {}", told(sum(&prober).await)).unwrap();
        writeln!(said, "deadline: {}", told(deadline(&prober).await)).unwrap();
    }
    let json = channel.clone().codec(&Json).get(GetPolicy::UpTo { url_max: 2000 });
    writeln!(said, "json, get: {}", told(echo(&ProberClient::new(json), "ring").await)).unwrap();
    let prober = ProberClient::new(channel);
    writeln!(said, "dropped: {}", told(dropped(&prober).await)).unwrap();
    let nowhere = Channel::over(Fetch::new(), "http://127.0.0.1:1").unwrap();
    let error = echo(&ProberClient::new(nowhere), "ring").await.unwrap_err();
    writeln!(said, "nowhere: {:?}", error.code()).unwrap();
    said
}

async fn echo(prober: &ProberClient, text: &str) -> Result<String, Error> {
    let reply = prober.echo(&Text { text: text.to_owned(), ..Default::default() }).await?;
    Ok(reply.text.clone())
}

async fn count(prober: &ProberClient, until: i64) -> Result<String, Error> {
    let mut numbers = prober.count(&number(until)).await?;
    let mut said = String::new();
    while let Some(number) = numbers.next().await? {
        write!(said, "{} ", number.number).unwrap();
    }
    Ok(said)
}

async fn sum(prober: &ProberClient) -> Result<String, Error> {
    let mut sum = prober.sum().await?;
    for summand in [20, 22] {
        sum.send(&number(summand)).await?;
    }
    Ok(sum.finish().await?.number.to_string())
}

async fn deadline(prober: &ProberClient) -> Result<String, Error> {
    let reply = prober.wait(&Text::default()).timeout(Duration::from_millis(50)).await?;
    Ok(reply.text.clone())
}

/// A stream in its middle, and a call without an answer: the server hears that both were dropped.
async fn dropped(prober: &ProberClient) -> Result<String, Error> {
    let before = prober.dropped(&number(0)).await?.number;
    let mut numbers = prober.count(&number(0)).await?;
    assert_eq!(numbers.next().await?.map(|number| number.number), Some(1));
    drop(numbers);
    {
        let call = std::pin::pin!(async { prober.wait(&Text::default()).await.map(drop) });
        let moment = std::pin::pin!(sleep(Duration::from_millis(50)));
        futures_util::future::select(call, moment).await;
    }
    let after = prober.dropped(&number(before + 2)).await?.number;
    Ok((after - before).to_string())
}

fn number(number: i64) -> Number {
    Number { number, ..Default::default() }
}

fn told(outcome: Result<String, Error>) -> String {
    outcome.unwrap_or_else(|error| format!("{:?}: {}", error.code(), error.message()))
}
