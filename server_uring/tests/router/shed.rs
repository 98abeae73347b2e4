//! Load shedding: the request that is one too many is turned away in the words of its protocol, and told when to come back.

use ringwire_server::{ServerLimits, ServerTimeouts};

use super::*;

fn limited(requests_max: usize, connection_requests_max: usize) -> impl FnOnce(Server) -> Server {
    let limits = ServerLimits { requests_max, connection_requests_max, ..ServerLimits::default() };
    let timeouts = ServerTimeouts { push_back: Duration::from_millis(1500), ..ServerTimeouts::default() };
    move |server| server.shards(1).limits(limits).timeouts(timeouts).drain_timeout(Duration::from_millis(100))
}

async fn wait(running: &Running, sender: &http2::SendRequest<Body>, in_flight: usize) -> JoinHandle<()> {
    let mut sender = sender.clone();
    let waiting = tokio::spawn(async move {
        let _ = sender.send_request(post("Wait", "application/grpc", full(envelope("")))).await;
    });
    until(|| running.handle.load().requests == in_flight).await;
    waiting
}

async fn say(sender: &mut http2::SendRequest<Body>) -> HeaderMap {
    let response = sender.send_request(post("Say", "application/grpc", full(envelope("a")))).await.unwrap();
    let headers = response.headers().clone();
    if headers.contains_key("grpc-status") { headers } else { read(response).await.1 }
}

fn field<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers[name].to_str().unwrap()
}

#[tokio::test]
async fn one_request_too_many_is_turned_away_in_every_protocol() {
    for &driver in DRIVERS {
        let running = start(driver, echo::router(), limited(3, 250));
        let mut two = running.http2().await;
        let first = wait(&running, &two, 1).await;
        wait(&running, &two, 2).await;
        // The third is the last that there is room for.
        assert_eq!(say(&mut two).await["grpc-status"], "0");
        until(|| running.handle.load().requests == 2).await;
        wait(&running, &two, 3).await;

        let told = say(&mut two).await;
        assert_eq!((field(&told, "grpc-status"), field(&told, "grpc-retry-pushback-ms")), ("14", "1500"));

        let mut one = running.http1().await;
        let web = post("Say", "application/grpc-web+proto", full(envelope("a")));
        let response = one.send_request(web).await.unwrap();
        assert_eq!(
            (response.status().as_u16(), field(response.headers(), "grpc-retry-pushback-ms")),
            (200, "1500")
        );
        assert_eq!(response.headers()["grpc-status"], "14");
        read(response).await;

        let unary = post("Say", "application/json", full(Bytes::from_static(b"\"a\"")));
        let response = one.send_request(unary).await.unwrap();
        assert_eq!(
            (response.status().as_u16(), field(response.headers(), "grpc-retry-pushback-ms")),
            (503, "1500")
        );
        let (body, _) = read(response).await;
        assert!(body.starts_with(b"{\"code\":\"unavailable\""), "{body:?}");

        let stream =
            post("Count", "application/connect+json", full(Bytes::from_static(b"\0\0\0\0\x03\"1\"")));
        let (body, _) = read(one.send_request(stream).await.unwrap()).await;
        let body = String::from_utf8_lossy(&body[5..]).into_owned();
        assert!(body.contains("\"code\":\"unavailable\""), "{body}");
        assert!(body.contains("\"grpc-retry-pushback-ms\":[\"1500\"]"), "{body}");

        let get =
            Request::get("http://test/ringwire.peers.v1.Echo/Say?connect=v1&encoding=json&message=%22a%22");
        let response =
            one.send_request(get.header("host", "test").body(full(Bytes::new())).unwrap()).await.unwrap();
        assert_eq!(
            (response.status().as_u16(), field(response.headers(), "grpc-retry-pushback-ms")),
            (503, "1500")
        );
        read(response).await;

        until(|| running.handle.load().requests == 3).await;
        let load = running.handle.load();
        assert_eq!((load.requests_accepted, load.requests_shed), (9, 5));
        assert_eq!(running.handle.shards()[0].responses.failed(Code::Unavailable), 5);
        // With one gone there is room again.
        first.abort();
        until(|| running.handle.load().requests == 2).await;
        assert_eq!(say(&mut two).await["grpc-status"], "0");
        drop((one, two));
        running.drain().await;
    }
}

#[tokio::test]
async fn one_connection_cannot_have_all() {
    for &driver in DRIVERS {
        let running = start(driver, echo::router(), limited(100, 2));
        let (mut greedy, mut other) = (running.http2().await, running.http2().await);
        wait(&running, &greedy, 1).await;
        assert_eq!(say(&mut greedy).await["grpc-status"], "0");
        until(|| running.handle.load().requests == 1).await;
        wait(&running, &greedy, 2).await;
        assert_eq!(say(&mut greedy).await["grpc-status"], "14");
        assert_eq!(say(&mut other).await["grpc-status"], "0");
        drop((greedy, other));
        running.drain().await;
    }
}
