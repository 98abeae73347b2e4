//! The instructions of a request on a warm connection, counted by callgrind.

use ringwire_testing::instructions::check;

/// The crate h2 takes ten times as many with optimisation, on the same requests.
#[test]
fn a_request_stays_within_its_budget() {
    let budget = if cfg!(debug_assertions) { 12_000 } else { 1_250 };
    check("http2_exchanges", Some("http2_exchanges::ours::exchange*"), &["ours"], budget);
}
