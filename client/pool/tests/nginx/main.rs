//! nginx in front of our server: HTTP/1.1 and gRPC's HTTP/2, and what it does to idle connections.
//!
//! It is found by `RINGWIRE_NGINX`, or on the path. Without it the tests say so and pass, unless `RINGWIRE_PEERS=required`.

#![allow(clippy::unwrap_used, reason = "helpers of a test fail it as its body would")]

use std::collections::HashSet;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use bytes::Bytes;
use http::{Request, StatusCode, Version};
use http_body_util::BodyExt;
use ringwire_pool::{HttpVersion, Pool, PoolOptions};
use ringwire_transport::{RequestBody, Transport};
use tokio::net::TcpStream;

/// nginx on a port of its own, for as long as it lives.
struct Nginx {
    port: u16,
    folder: PathBuf,
    process: Child,
}

impl Nginx {
    /// Starts it with this in its `server` block; `None` after saying that it is missing.
    async fn start(test: &str, server: &str) -> Option<Self> {
        let Some(program) = find() else {
            assert_ne!(std::env::var("RINGWIRE_PEERS").as_deref(), Ok("required"), "nginx is missing");
            println!("skipped: nginx is neither named by RINGWIRE_NGINX nor on the path");
            return None;
        };
        let folder = std::env::temp_dir().join(format!("ringwire-nginx-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let here = folder.display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|what| format!("{what}_temp_path {here}/{what};\n"))
            .concat();
        let configuration = format!(
            "daemon off; master_process off; pid {here}/pid; error_log {here}/error.log;\n\
             events {{}}\n\
             http {{ access_log off; {temporary} server {{ {} }} }}\n",
            server.replace("PORT", &port.to_string())
        );
        let file = folder.join("nginx.conf");
        std::fs::write(&file, configuration).unwrap();
        let process = Command::new(program)
            .arg("-p")
            .arg(&folder)
            .arg("-c")
            .arg(&file)
            .arg("-e")
            .arg(folder.join("error.log"))
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut nginx = Self { port, folder, process };
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            assert!(nginx.process.try_wait().unwrap().is_none(), "nginx ended");
            tokio::task::yield_now().await;
        }
        Some(nginx)
    }

    fn pool(&self, http: HttpVersion) -> Pool {
        Pool::new(&format!("http://127.0.0.1:{}", self.port), PoolOptions::new().http(http)).unwrap()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn find() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("RINGWIRE_NGINX") {
        return Some(path.into());
    }
    // It is a program of the administrator's, whose folder is not on everyone's path.
    ["nginx", "/usr/sbin/nginx"]
        .into_iter()
        .find(|name| Command::new(name).arg("-v").output().is_ok_and(|output| output.status.success()))
        .map(PathBuf::from)
}

/// A call; the status, and what it says of the connection.
async fn call(pool: &Pool, path: &str, version: Version) -> (StatusCode, String) {
    let body = RequestBody::whole(Bytes::new());
    let request = Request::get(format!("http://test{path}")).version(version).body(body).unwrap();
    let response = pool.send(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn http1_connections_are_used_until_nginx_closes_them() {
    let server = "listen 127.0.0.1:PORT; keepalive_requests 10; \
                  location / { default_type text/plain; return 200 $connection; }";
    let Some(nginx) = Nginx::start("http1", server).await else { return };
    let pool = nginx.pool(HttpVersion::Http1);
    let mut connections = HashSet::new();
    for _ in 0..100 {
        let (status, connection) = call(&pool, "/", Version::HTTP_11).await;
        assert_eq!(status, StatusCode::OK);
        connections.insert(connection);
    }
    assert_eq!(connections.len(), 10);
}

#[tokio::test]
async fn http2_survives_the_goaway_that_nginx_says_after_so_many_requests() {
    let server = "listen 127.0.0.1:PORT http2; keepalive_requests 10; \
                  location / { default_type text/plain; return 200 $connection; }";
    let Some(nginx) = Nginx::start("http2", server).await else { return };
    let pool = nginx.pool(HttpVersion::Http2);
    let mut connections = HashSet::new();
    for _ in 0..100 {
        let (status, connection) = call(&pool, "/", Version::HTTP_2).await;
        assert_eq!(status, StatusCode::OK);
        connections.insert(connection);
    }
    assert!((10..=11).contains(&connections.len()), "{} connections", connections.len());
}

#[tokio::test]
async fn many_calls_at_once_lose_nothing_to_goaway() {
    let server = "listen 127.0.0.1:PORT http2; keepalive_requests 50; location / { return 200 hello; }";
    let Some(nginx) = Nginx::start("goaway", server).await else { return };
    let pool = nginx.pool(HttpVersion::Http2);
    let calls: Vec<_> = (0..16)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move {
                for _ in 0..100 {
                    assert_eq!(call(&pool, "/", Version::HTTP_2).await.1, "hello");
                }
            })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
}

#[tokio::test]
async fn a_gateway_without_a_server_behind_it_is_an_answer() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = format!("listen 127.0.0.1:PORT; location / {{ proxy_pass http://127.0.0.1:{port}; }}");
    let Some(nginx) = Nginx::start("gateway", &server).await else { return };
    let pool = nginx.pool(HttpVersion::Http1);
    assert_eq!(call(&pool, "/", Version::HTTP_11).await.0, StatusCode::BAD_GATEWAY);
}
