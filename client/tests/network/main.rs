//! Calls over sockets, to our own server.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

#[path = "../client/greet.rs"]
mod greet;
#[path = "../client/support.rs"]
mod support;

use greet::*;
use ringwire_client::pool::{HttpVersion, PoolOptions};
use ringwire_client::{Channel, ClientProtocol, Code, Compressions, Result, Tower};
use ringwire_compress::{CompressionPolicy, Gzip};
use ringwire_server::Server;
use ringwire_service::Router;
use ringwire_tower::RpcService;
use std::net::SocketAddr;
use support::*;

/// Starts a server that greets, for as long as the test runs.
async fn serve() -> SocketAddr {
    let policy = CompressionPolicy { min_size: Some(0), ..Default::default() };
    let router = Router::new()
        .add(GreetServer::new(Greeter))
        .compressions(Compressions::default())
        .compression_policy(policy);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { Server::on(listener).serve(router).await.unwrap() });
    address
}

/// Calls every shape over channels of every kind.
async fn check(
    http: HttpVersion,
    protocols: &[ClientProtocol],
    calls: impl AsyncFn(&GreetClient) -> Result<()>,
) {
    let address = serve().await;
    let policy = CompressionPolicy { min_size: Some(0), ..Default::default() };
    let channel = Channel::pooled(&format!("http://{address}"), PoolOptions::new().http(http)).unwrap();
    let channel = channel.compression_policy(policy);
    for protocol in protocols {
        for codec in CODECS {
            for channel in [channel.clone(), channel.clone().compression(Some(&Gzip))] {
                let client = GreetClient::new(channel.protocol(*protocol).codec(codec));
                if let Err(error) = calls(&client).await {
                    panic!("{client:?} over {http:?}: {error:?}");
                }
            }
        }
    }
}

async fn one_of_each(greet: &GreetClient) -> Result<()> {
    let reply = greet.greet(&request("Ada")).header("x-team", "rings").await?;
    assert_eq!(reply.greeting, "Hello, Ada!");
    assert_eq!(reply.trailers().get_str("served-for")?, "rings");
    assert!(reply.peer().unwrap().starts_with("127.0.0.1:"));
    let error = greet.greet(&request("")).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::InvalidArgument, "a greeting needs a name"));

    let mut letters = greet.spell(&request("Ada!")).await?;
    for letter in ["A", "d", "a"] {
        assert_eq!(letters.next().await?.unwrap().greeting, letter);
    }
    assert_eq!(letters.next().await.unwrap_err().code(), Code::OutOfRange);

    let mut names = greet.collect().await?;
    for name in ["Ada", "Grace"] {
        names.send(&request(name)).await?;
    }
    assert_eq!(names.finish().await?.greeting, "Ada and Grace");
    Ok(())
}

async fn chat_at_once(greet: &GreetClient) -> Result<()> {
    let mut chat = greet.chat().await?;
    for text in ["a", "b"] {
        chat.send(&line(text)).await?;
        assert_eq!(chat.next().await?.unwrap().line, text.to_uppercase());
    }
    chat.close_send().await?;
    assert!(chat.next().await?.is_none());
    Ok(())
}

#[tokio::test]
async fn http2_carries_every_protocol() {
    check(HttpVersion::Http2, &PROTOCOLS, one_of_each).await;
    check(HttpVersion::Http2, &PROTOCOLS, chat_at_once).await;
}

#[tokio::test]
async fn http1_carries_what_needs_no_trailers() {
    const WITHOUT: [ClientProtocol; 3] =
        [ClientProtocol::CONNECT, ClientProtocol::GRPC_WEB, ClientProtocol::GRPC_WEB_TEXT];
    check(HttpVersion::Http1, &WITHOUT, one_of_each).await;
    // First one end, then the other.
    check(HttpVersion::Http1, &WITHOUT, async |greet| {
        let mut chat = greet.chat().await?;
        chat.send(&line("a")).await?;
        chat.send(&line("b")).await?;
        chat.close_send().await?;
        assert_eq!(chat.next().await?.unwrap().line, "A");
        assert_eq!(chat.next_view().await?.unwrap().line, "B");
        assert!(chat.next().await?.is_none());
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn each_call_finds_its_http_version() {
    check(HttpVersion::Auto, &PROTOCOLS, one_of_each).await;
    check(HttpVersion::Auto, &PROTOCOLS, chat_at_once).await;
}

#[tokio::test]
async fn large_streams_go_both_ways() {
    let channel = Channel::new(&format!("http://{}", serve().await)).unwrap();
    for protocol in PROTOCOLS {
        let client = GreetClient::new(channel.clone().protocol(protocol));
        let (mut outgoing, mut incoming) = client.chat().await.unwrap().split();
        let sender = tokio::spawn(async move {
            for number in 0..200 {
                outgoing.send(&line(&format!("{number:020000}"))).await?;
            }
            outgoing.close_send().await
        });
        for number in 0..200 {
            assert_eq!(incoming.next().await.unwrap().unwrap().line, format!("{number:020000}"));
        }
        assert!(incoming.next().await.unwrap().is_none());
        sender.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn an_early_end_ends_what_is_sent() {
    let channel = Channel::new(&format!("http://{}", serve().await)).unwrap();
    for protocol in PROTOCOLS {
        let client = GreetClient::new(channel.clone().protocol(protocol));
        let mut names = client.collect().await.unwrap();
        let mut sent = names.send(&request("stop")).await;
        while sent.is_ok() {
            sent = names.send(&request(&"x".repeat(10_000))).await;
        }
        assert_eq!(names.finish().await.unwrap_err().code(), Code::FailedPrecondition, "{}", protocol.name());
    }
}

#[tokio::test]
async fn nobody_at_home_is_unavailable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let client = GreetClient::new(Channel::new(&format!("http://{address}")).unwrap());
    let error = client.greet(&request("Ada")).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable, "{error:?}");
    let error = client.chat().await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable, "{error:?}");
}

#[tokio::test]
async fn a_unix_socket_is_an_origin() {
    let folder = std::env::temp_dir().join(format!("ringwire-client-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("s");
    let server = Server::bind_unix(&path);
    tokio::spawn(async move { server.serve(Router::new().add(GreetServer::new(Greeter))).await.unwrap() });
    let channel = Channel::new(&format!("unix:{}", path.display())).unwrap();
    for protocol in PROTOCOLS {
        let client = GreetClient::new(channel.clone().protocol(protocol));
        assert_eq!(client.greet(&request("Ada")).await.unwrap().greeting, "Hello, Ada!");
        chat_at_once(&client).await.unwrap();
    }
    drop(channel);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn a_tower_service_is_a_transport() {
    let service = RpcService::new(Router::new().add(GreetServer::new(Greeter))).unwrap();
    let channel = Channel::over(Tower::new(service), "https://greet.example").unwrap();
    for protocol in PROTOCOLS {
        for codec in CODECS {
            let client = GreetClient::new(channel.clone().protocol(protocol).codec(codec));
            assert_eq!(client.greet(&request("Ada")).await.unwrap().greeting, "Hello, Ada!");
            let mut names = client.collect().await.unwrap();
            names.send(&request("Ada")).await.unwrap();
            assert_eq!(names.finish().await.unwrap().greeting, "Ada");
            chat_at_once(&client).await.unwrap();
        }
    }
}

#[test]
fn what_is_no_origin_is_refused() {
    for origin in ["", "127.0.0.1:8080", "ftp://a", "unix:", "http://"] {
        let error = Channel::new(origin).unwrap_err();
        assert!(error.to_string().starts_with(&format!("{origin:?} is no origin: ")), "{error}");
    }
}
