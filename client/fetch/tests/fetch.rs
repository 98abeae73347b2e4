//! Calls from JavaScript, through a real fetch, to a real server.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)] // A test's way to fail.

use probe_rust::probe::v1::*;
use ringwire_server::Server;
use ringwire_service::{Call, Error, Requests, Responses, Result, Router};
use std::process::Command;
use tokio::sync::{oneshot, watch};

/// How many calls were dropped.
struct Prober(watch::Sender<i64>);

/// Counts when it is dropped.
struct Counted(watch::Sender<i64>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|dropped| *dropped += 1);
    }
}

impl probe_rust::probe::v1::Prober for Prober {
    async fn echo(&self, _: &mut Call, request: TextView<'_>) -> Result<Text> {
        if request.text.is_empty() {
            return Err(Error::invalid_argument("no text"));
        }
        Ok(Text { text: request.text.to_owned(), ..Default::default() })
    }

    async fn count(
        &self,
        _: &mut Call,
        request: NumberView<'_>,
        mut responses: Responses<'_, Number>,
    ) -> Result<()> {
        for number in 1..=request.number {
            responses.send(&Number { number, ..Default::default() }).await?;
        }
        if request.number > 0 {
            return Ok(());
        }
        let _counted = Counted(self.0.clone());
        for number in 1.. {
            responses.send(&Number { number, ..Default::default() }).await?;
            responses.flush().await?;
        }
        Ok(())
    }

    async fn sum(&self, _: &mut Call, mut requests: Requests<'_, Number>) -> Result<Number> {
        let mut number = 0;
        while let Some(summand) = requests.next().await? {
            number += summand.number;
        }
        Ok(Number { number, ..Default::default() })
    }

    async fn wait(&self, _: &mut Call, _: TextView<'_>) -> Result<Text> {
        let _counted = Counted(self.0.clone());
        std::future::pending().await
    }

    async fn dropped(&self, _: &mut Call, request: NumberView<'_>) -> Result<Number> {
        let mut counted = self.0.subscribe();
        let number = *counted.wait_for(|dropped| *dropped >= request.number).await?;
        Ok(Number { number, ..Default::default() })
    }
}

const SAID: &str = "\
connect
echo: ring
refused: InvalidArgument: no text
count: 1 2 3 \n\
sum: 42
deadline: DeadlineExceeded: the deadline of the call has passed
grpc-web
echo: ring
refused: InvalidArgument: no text
count: 1 2 3 \n\
sum: 42
deadline: DeadlineExceeded: the deadline of the call has passed
json, get: ring
dropped: 2
nowhere: Unavailable
";

#[tokio::test]
async fn calls_from_javascript_come_to_what_they_come_to_elsewhere() {
    let prober = Prober(watch::channel(0).0);
    let (stop, stopped) = oneshot::channel::<()>();
    let server = Server::bind("127.0.0.1:0").until(async move {
        let _ = stopped.await;
    });
    let origin = format!("http://{}", server.local_address().unwrap());
    let serving = tokio::spawn(server.serve(Router::new().add(ProberServer::new(prober))));
    let run = tokio::task::spawn_blocking(move || {
        let path = |name: &str| std::env::var(name).unwrap();
        Command::new("node").args([path("RUN"), path("PROGRAM"), origin]).output().unwrap()
    });
    let output = run.await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), SAID);
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
}
