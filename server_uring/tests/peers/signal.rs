//! What an orchestrator does to stop a process.

use std::process::Command;

use ringwire_server::{Server, terminated};

#[cfg(unix)]
#[tokio::test]
async fn sigterm_drains_the_server_and_ends_nothing_else() {
    let server = Server::bind("127.0.0.1:0").until(terminated());
    let handle = server.handle();
    let mut serving = Box::pin(server.serve(crate::echo::router()));
    // Once it has been polled, the signal is the server's and no longer the end of the process.
    let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(serving.as_mut().poll(cx))).await;
    assert!(polled.is_pending());
    let command = format!("kill -TERM {}", std::process::id());
    assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success());
    serving.await.unwrap();
    assert_eq!(handle.drained().await.connections_cut, 0);
}
