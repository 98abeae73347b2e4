//! The server in a process of its own, started as a supervisor would.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicBool;

use ringwire_server::{Inherited, terminated};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

const ROLE: &str = "RINGWIRE_SERVER_CHILD";

/// Starts the test `name` again in a process that has the listener as descriptor 3, and may open `files` files.
fn spawn(name: &str, driver: DriverChoice, listener: &TcpListener, files: usize) -> Child {
    let script = format!(
        "ulimit -n {files}; exec 3<&0 </dev/null; \
         LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=api exec \"$0\" --exact \"$1\" --nocapture"
    );
    Command::new("sh")
        .args(["-c", &script])
        .arg(std::env::current_exe().unwrap())
        .arg(name)
        .env(ROLE, format!("{driver:?}"))
        .stdin(OwnedFd::from(listener.try_clone().unwrap()))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// In the child: serves the inherited socket until told to stop, and says how many calls were answered. Elsewhere: `false`.
async fn is_child() -> bool {
    let Ok(driver) = std::env::var(ROLE) else { return false };
    let sockets = Inherited::take().unwrap();
    let [socket] = <[Inherited; 1]>::try_from(sockets).unwrap();
    assert_eq!(socket.name(), Some("api"));
    assert!(Inherited::take().unwrap().is_empty(), "sockets are taken once");
    let driver = DRIVERS.iter().find(|choice| format!("{choice:?}") == driver).unwrap();
    let server = Server::on(socket).driver(*driver).shards(1).drain_timeout(Duration::from_secs(20));
    let handle = server.handle();
    server.until(terminated()).serve(echo::router()).await.unwrap();
    println!("answered={}", handle.shards()[0].responses.ok());
    true
}

/// Stops a child as an operator would, and gives its count of answers and its standard error.
async fn stop(child: Child) -> (u64, String) {
    let id = child.id().to_string();
    assert!(Command::new("sh").args(["-c", "kill -TERM $0", &id]).status().unwrap().success());
    let output = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()).await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}{told}");
    let answered = said.lines().find_map(|line| line.split_once("answered=")).unwrap().1;
    (answered.parse().unwrap(), told)
}

/// Makes calls over HTTP/2, one after the other, over a new connection whenever the server asks for that.
async fn load(address: SocketAddr, stop: Arc<AtomicBool>, acknowledged: Arc<AtomicU64>) {
    let mut sender: Option<http2::SendRequest<Body>> = None;
    while !stop.load(Ordering::Relaxed) {
        let Some(two) = sender.as_mut().filter(|two| !two.is_closed()) else {
            let stream = TcpStream::connect(address).await.unwrap();
            let (two, connection) =
                http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            sender = Some(two);
            continue;
        };
        match two.send_request(post("Say", "application/grpc", full(envelope("a")))).await {
            Ok(response) => {
                assert_eq!(read(response).await.1["grpc-status"], "0");
                acknowledged.fetch_add(1, Ordering::Relaxed);
            }
            // The request came too late for this connection, and was not sent: nothing is lost.
            Err(error) if error.is_canceled() => sender = None,
            Err(error) => panic!("a request was lost: {error:?}"),
        }
    }
}

#[tokio::test]
async fn a_socket_is_handed_over_without_a_lost_request() {
    if is_child().await {
        return;
    }
    const NAME: &str = "child::a_socket_is_handed_over_without_a_lost_request";
    // From either driver to the other, and to itself.
    for (old, new) in DRIVERS.iter().flat_map(|old| DRIVERS.iter().map(move |new| (*old, *new))) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let first = spawn(NAME, old, &listener, 1000);
        let (stopped, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let clients: Vec<_> =
            (0..8).map(|_| tokio::spawn(load(address, stopped.clone(), acknowledged.clone()))).collect();
        let more = async |calls| {
            let before = acknowledged.load(Ordering::Relaxed);
            until(|| acknowledged.load(Ordering::Relaxed) >= before + calls).await;
        };
        more(500).await;
        let second = spawn(NAME, new, &listener, 1000);
        // Both accept from now on, or soon.
        more(500).await;
        let (by_first, _) = stop(first).await;
        more(500).await;
        stopped.store(true, Ordering::Relaxed);
        for client in clients {
            client.await.unwrap();
        }
        let (by_second, _) = stop(second).await;
        assert!(by_first >= 500 && by_second >= 500, "{old:?} {by_first}, {new:?} {by_second}");
        assert_eq!(by_first + by_second, acknowledged.load(Ordering::Relaxed), "{old:?} to {new:?}");
    }
}

#[tokio::test]
async fn too_many_open_files_are_waited_for_quietly() {
    if is_child().await {
        return;
    }
    for &driver in DRIVERS {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let child = spawn("child::too_many_open_files_are_waited_for_quietly", driver, &listener, 64);
        let first = call(address).await;
        let mut crowd = Vec::new();
        for _ in 0..100 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(b"P").await.unwrap();
            crowd.push(stream);
        }
        // As long as the crowd stays, the server can accept nobody, and must not try all the time.
        let before = cpu_ticks(child.id());
        let mut newcomer = TcpStream::connect(address).await.unwrap();
        newcomer.write_all(b"GET / HTTP/1.1\r\nhost: test\r\n\r\n").await.unwrap();
        let answer = tokio::time::timeout(Duration::from_secs(2), newcomer.read_u8());
        assert!(answer.await.is_err(), "{driver:?}: it waits");
        let spent = cpu_ticks(child.id()) - before;
        assert!(spent <= 20, "{driver:?}: {spent} hundredths of a second of CPU time within two seconds");
        drop(crowd);
        assert_eq!(newcomer.read_u8().await.unwrap(), b'H', "{driver:?}: its turn has come");
        let again = call(address).await;
        drop((first, again));
        let (answered, told) = stop(child).await;
        assert_eq!(answered, 2);
        let told: Vec<_> = told.lines().filter(|line| line.starts_with("ringwire: ")).collect();
        let [line] = told[..] else { panic!("{told:?}") };
        assert!(line.starts_with("ringwire: connections cannot be accepted"), "{line}");
    }
}

async fn call(address: SocketAddr) -> http2::SendRequest<Body> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut two, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let response = two.send_request(post("Say", "application/grpc", full(envelope("a")))).await.unwrap();
    assert_eq!(read(response).await.1["grpc-status"], "0");
    two
}

/// The CPU time of a process, in hundredths of a second.
fn cpu_ticks(process: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let (_, rest) = stat.rsplit_once(')').unwrap();
    let fields: Vec<_> = rest.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}
