//! The instructions of a unary call over a transport that does nothing, counted by callgrind.

use ringwire_testing::instructions::{check, per_request};

#[test]
fn a_call_over_nothing_stays_within_its_budget() {
    let each = per_request("client_calls", "client_calls::main", &["least"]);
    check("a call over nothing", each, if cfg!(debug_assertions) { 35_500 } else { 5_280 });
}
