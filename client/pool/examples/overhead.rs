//! Makes calls through a pool, or on hyper alone, to a peer at the other end of a pipe.
//!
//! `overhead bare 6000` and `overhead pool 6000` for an instruction counter, each less the same with 1000, divided by 5000:
//! what a call costs with eight in flight. `overhead spread 4 100000` says how many calls per second four connections make on
//! two threads with 128 in flight.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use ringwire_pool::{Address, Dial, Dialing, HttpVersion, Io, Limits, Pool, PoolOptions};
use ringwire_transport::{RequestBody, Transport};
use tokio::io::DuplexStream;

/// Peers at the other end of pipes.
struct Pipes;

impl Dial for Pipes {
    fn dial<'a>(&'a self, _: &'a Address) -> Dialing<'a> {
        Box::pin(async { Ok(Box::new(connect()) as Box<dyn Io>) })
    }
}

fn connect() -> DuplexStream {
    let (near, far) = tokio::io::duplex(64 * 1024);
    tokio::spawn(async move {
        let mut server = h2::server::handshake(far).await?;
        while let Some(accepted) = server.accept().await {
            let (_, mut respond) = accepted?;
            respond.send_response(Response::new(()), false)?.send_data(Bytes::from_static(b"hello"), true)?;
        }
        Ok::<_, h2::Error>(())
    });
    near
}

async fn bare(calls: usize) -> Result<(), Box<dyn Error + Send + Sync>> {
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(connect())).await?;
    tokio::spawn(connection);
    each(8, calls, move || {
        let mut sender = sender.clone();
        async move {
            let request = Request::post("http://test/ringwire.v1.Greet/Greet")
                .version(Version::HTTP_2)
                .header("content-type", "application/proto")
                .header("te", "trailers")
                .body(Full::new(Bytes::from_static(b"hello")))?;
            sender.send_request(request).await?.into_body().collect().await?;
            Ok(())
        }
    })
    .await
}

async fn pooled(
    connections: usize,
    in_flight: usize,
    calls: usize,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut limits = Limits::default();
    limits.http2_connections_max = connections;
    limits.streams_grow_at = (in_flight / connections / 2).max(8);
    let options = PoolOptions::new().dialer(Pipes).http(HttpVersion::Http2).limits(limits);
    let pool = Pool::new("http://10.0.0.1", options)?;
    let one = move || {
        let pool = pool.clone();
        async move {
            let request = Request::post("http://test/ringwire.v1.Greet/Greet")
                .version(Version::HTTP_2)
                .header("content-type", "application/proto")
                .header("te", "trailers")
                .body(RequestBody::whole(Bytes::from_static(b"hello")))?;
            pool.send(request).await?.into_body().collect().await?;
            Ok(())
        }
    };
    each(in_flight, calls, one).await
}

/// So many calls, so many of them at once.
async fn each<F>(
    in_flight: usize,
    calls: usize,
    one: impl Fn() -> F + Clone + Send + 'static,
) -> Result<(), Box<dyn Error + Send + Sync>>
where
    F: Future<Output = Result<(), Box<dyn Error + Send + Sync>>> + Send,
{
    let left = Arc::new(AtomicUsize::new(calls));
    let workers: Vec<_> = (0..in_flight)
        .map(|_| {
            let (left, one) = (left.clone(), one.clone());
            tokio::spawn(async move {
                while left
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
                    .is_ok()
                {
                    one().await?;
                }
                Ok::<_, Box<dyn Error + Send + Sync>>(())
            })
        })
        .collect();
    for worker in workers {
        worker.await??;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let one_thread = || tokio::runtime::Builder::new_current_thread().enable_all().build();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["bare", calls] => one_thread()?.block_on(bare(calls.parse()?)),
        ["pool", calls] => one_thread()?.block_on(pooled(1, 8, calls.parse()?)),
        ["spread", connections, calls] => {
            let (connections, calls) = (connections.parse()?, calls.parse()?);
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
            let started = Instant::now();
            runtime.block_on(pooled(connections, 128, calls))?;
            println!("{:.0}", calls as f64 / started.elapsed().as_secs_f64());
            Ok(())
        }
        _ => Err("overhead bare|pool CALLS, or overhead spread CONNECTIONS CALLS".into()),
    }
}
