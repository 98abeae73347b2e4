//! Several addresses, and the first that answers (RFC 8305).

use crate::{Address, Dial, Dialing, Io};
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Connects to one of the addresses: the next is tried when the one before failed, or after `stagger`, and the first that
/// answers wins. Fails with the address that failed last.
pub(crate) async fn race(
    dial: &dyn Dial,
    addresses: &[Address],
    stagger: Duration,
) -> Result<(Address, Box<dyn Io>), (Option<Address>, io::Error)> {
    let order = interleave(addresses);
    let mut waiting = order.into_iter();
    let mut running: Vec<Attempt<'_>> = Vec::new();
    let mut failed = (None, io::Error::from(io::ErrorKind::AddrNotAvailable));
    let mut next_at = pin!(sleep_until(Instant::now()));
    poll_fn(|cx| {
        loop {
            let mut index = 0;
            while index < running.len() {
                match running[index].1.as_mut().poll(cx) {
                    Poll::Pending => index += 1,
                    Poll::Ready(Ok(io)) => return Poll::Ready(Ok((running[index].0.clone(), io))),
                    Poll::Ready(Err(error)) => {
                        let (address, _) = running.swap_remove(index);
                        failed = (Some(address.clone()), error);
                        next_at.as_mut().reset(Instant::now());
                    }
                }
            }
            if running.is_empty() && waiting.len() == 0 {
                let error = std::mem::replace(&mut failed.1, io::ErrorKind::Other.into());
                return Poll::Ready(Err((failed.0.take(), error)));
            }
            if waiting.len() == 0 {
                return Poll::Pending;
            }
            if !running.is_empty() && next_at.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if let Some(address) = waiting.next() {
                running.push((address, dial.dial(address)));
                next_at.as_mut().reset(Instant::now() + stagger);
            }
        }
    })
    .await
}

type Attempt<'a> = (&'a Address, Dialing<'a>);

/// The families in turn, beginning with that of the first address.
fn interleave(addresses: &[Address]) -> Vec<&Address> {
    let is_v6 = |address: &Address| matches!(address, Address::Tcp(address) if address.is_ipv6());
    let first_is_v6 = addresses.first().is_some_and(is_v6);
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.iter().partition(|address| is_v6(address) == first_is_v6);
    let mut order = Vec::with_capacity(addresses.len());
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    loop {
        let before = order.len();
        order.extend(first.next());
        order.extend(second.next());
        if order.len() == before {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;
    use std::sync::Mutex;

    /// Says for each port what happens: below 100 it answers after so many ms, above it fails after so many less 100.
    struct Script(Mutex<Vec<(u16, u128)>>, Instant);

    impl Dial for Script {
        fn dial<'a>(&'a self, address: &'a Address) -> Dialing<'a> {
            let Address::Tcp(address) = address else { unreachable!() };
            let port = address.port();
            self.0.lock().unwrap().push((port, self.1.elapsed().as_millis()));
            Box::pin(async move {
                let (fails, after) = (port >= 1000, u64::from(port % 1000));
                sleep_until(Instant::now() + Duration::from_millis(after)).await;
                if fails { Err(io::ErrorKind::ConnectionRefused.into()) } else { Ok(pipe()) }
            })
        }
    }

    fn pipe() -> Box<dyn Io> {
        Box::new(tokio::io::duplex(1).0)
    }

    async fn check(ports: &[u16], won: Option<u16>, started: &[(u16, u128)]) {
        let script = Script(Mutex::default(), Instant::now());
        let addresses: Vec<_> =
            ports.iter().map(|port| Address::Tcp(SocketAddr::from(([127, 0, 0, 1], *port)))).collect();
        let result = race(&script, &addresses, Duration::from_millis(250)).await;
        let port = |address| match address {
            Address::Tcp(address) => SocketAddr::port(&address),
            Address::Unix(_) => 0,
        };
        assert_eq!(result.ok().map(|(address, _)| port(address)), won);
        assert_eq!(*script.0.lock().unwrap(), started);
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_starts_after_250_ms_or_a_failure() {
        check(&[1], Some(1), &[(1, 0)]).await;
        check(&[100, 2], Some(100), &[(100, 0)]).await;
        check(&[900, 2], Some(2), &[(900, 0), (2, 250)]).await;
        check(&[300, 200], Some(300), &[(300, 0), (200, 250)]).await;
        check(&[1010, 900, 3], Some(3), &[(1010, 0), (900, 10), (3, 260)]).await;
        check(&[1010, 1020], None, &[(1010, 0), (1020, 10)]).await;
        check(&[1900, 1001], None, &[(1900, 0), (1001, 250)]).await;
        check(&[], None, &[]).await;
    }

    #[test]
    fn families_take_turns() {
        let addresses: Vec<Address> = ["[::1]:1", "[::1]:2", "[::1]:3", "1.1.1.1:4", "1.1.1.1:5"]
            .map(|address| Address::Tcp(address.parse().unwrap()))
            .into();
        let order: Vec<_> = interleave(&addresses).into_iter().map(ToString::to_string).collect();
        assert_eq!(order, ["[::1]:1", "1.1.1.1:4", "[::1]:2", "1.1.1.1:5", "[::1]:3"]);
    }
}
