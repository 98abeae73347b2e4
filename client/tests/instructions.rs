//! The instructions of a unary call over a transport that does nothing, counted by callgrind.

use ringwire_testing::instructions::check;

#[test]
fn a_call_over_nothing_stays_within_its_budget() {
    let budget = if cfg!(debug_assertions) { 35_500 } else { 5_280 };
    check("client_calls", None, &["least"], budget);
}
