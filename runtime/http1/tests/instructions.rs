//! The instructions of an exchange on a warm connection, counted by callgrind.

use ringwire_testing::instructions::{check, per_request};

#[test]
fn a_head_that_comes_again_stays_within_its_budget() {
    let each = per_request("http1_exchanges", "http1_exchanges::engines::exchange*", &["same"]);
    check("the same head", each, if cfg!(debug_assertions) { 18_500 } else { 1_900 });
}

/// One line of seven differs.
#[test]
fn a_new_head_stays_within_its_budget() {
    let each = per_request("http1_exchanges", "http1_exchanges::engines::exchange*", &["new"]);
    check("a new head", each, if cfg!(debug_assertions) { 43_000 } else { 4_500 });
}
