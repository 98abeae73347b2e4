//! Kinds of sockets, and runtimes that end.

use http::Version;
use ringwire_pool::{Pool, PoolOptions, State};
use ringwire_server::Server;
use ringwire_transport::TransportErrorKind;

use crate::server::{call, start};

async fn check(pool: Pool) {
    for (version, answer) in [(Version::HTTP_11, "HTTP/1.1"), (Version::HTTP_2, "HTTP/2.0")] {
        for _ in 0..3 {
            assert_eq!(call(&pool, version).await.unwrap(), answer);
        }
    }
    assert_eq!(pool.state(), State::Ready);
}

#[tokio::test]
async fn over_ipv4_and_ipv6_and_a_name() {
    let (port, _server) = start(Server::bind("127.0.0.1:0"));
    check(Pool::new(&format!("http://127.0.0.1:{port}"), PoolOptions::new()).unwrap()).await;
    check(Pool::new(&format!("http://localhost:{port}"), PoolOptions::new()).unwrap()).await;
    let (port, _server) = start(Server::bind("[::1]:0"));
    check(Pool::new(&format!("http://[::1]:{port}"), PoolOptions::new()).unwrap()).await;
}

#[cfg(unix)]
#[tokio::test]
async fn over_a_unix_socket() {
    let path = std::env::temp_dir().join(format!("ringwire-pool-{}.sock", std::process::id()));
    let server = Server::bind_unix(&path);
    let handle = server.handle();
    let serving = tokio::spawn(server.serve(crate::server::Says));
    check(Pool::new(&format!("unix:{}", path.display()), PoolOptions::new()).unwrap()).await;
    handle.drain();
    serving.await.unwrap().unwrap();
    let _ = std::fs::remove_file(path);
}

#[tokio::test]
async fn from_an_address_of_ones_own() {
    let (port, _server) = start(Server::bind("127.0.0.1:0"));
    let origin = format!("http://127.0.0.1:{port}");
    check(Pool::new(&origin, PoolOptions::new().local_address([127, 0, 0, 2].into())).unwrap()).await;
    let elsewhere = PoolOptions::new().local_address("2001:db8::1".parse().unwrap());
    let error = call(&Pool::new(&origin, elsewhere).unwrap(), Version::HTTP_2).await.unwrap_err();
    assert_eq!((error.kind(), error.is_unprocessed()), (TransportErrorKind::Connect, true));
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_and_a_name_that_nobody_has() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nobody = Pool::new(&format!("http://127.0.0.1:{port}"), PoolOptions::new()).unwrap();
    let error = call(&nobody, Version::HTTP_2).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Connect);
    assert_eq!(error.peer(), Some(format!("127.0.0.1:{port}").as_str()));
    let nowhere = Pool::new("http://nowhere.invalid", PoolOptions::new()).unwrap();
    let error = call(&nowhere, Version::HTTP_2).await.unwrap_err();
    assert_eq!((error.kind(), error.peer()), (TransportErrorKind::Resolve, Some("nowhere.invalid:80")));
}

#[test]
fn a_pool_outlives_the_runtimes_it_is_used_in() {
    let serving = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (port, _server) = serving.block_on(async { start(Server::bind("127.0.0.1:0")) });
    let pool = Pool::new(&format!("http://localhost:{port}"), PoolOptions::new()).unwrap();
    for _ in 0..3 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check(pool.clone()));
    }
    assert_eq!(pool.targets().iter().map(|target| target.in_flight).sum::<usize>(), 0);
}

#[test]
fn a_response_may_be_dropped_outside_a_runtime() {
    use ringwire_transport::{RequestBody, Transport};
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (port, _server) = runtime.block_on(async { start(Server::bind("127.0.0.1:0")) });
    let pool = Pool::new(&format!("http://127.0.0.1:{port}"), PoolOptions::new()).unwrap();
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let body = RequestBody::whole("hello".into());
        let request = http::Request::post("http://test/").version(version).body(body).unwrap();
        let response = runtime.block_on(pool.send(request)).unwrap();
        drop(response);
        assert!(runtime.block_on(call(&pool, version)).is_ok());
    }
}
