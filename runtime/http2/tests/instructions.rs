//! The instructions of a request on a warm connection, counted by callgrind.

use ringwire_testing::instructions::check;

/// The crate h2 takes ten times as many with optimisation, on the same requests.
#[test]
fn a_request_stays_within_its_budget() {
    let budget = if cfg!(debug_assertions) { 9_800 } else { 1_350 };
    check("http2_exchanges", "http2_exchanges::ours::exchange*", &["ours"], budget);
}
