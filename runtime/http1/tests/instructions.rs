//! The instructions of an exchange on a warm connection, counted by callgrind.

use ringwire_testing::instructions::check;

#[test]
fn a_head_that_comes_again_stays_within_its_budget() {
    let budget = if cfg!(debug_assertions) { 18_500 } else { 1_850 };
    check("http1_exchanges", Some("http1_exchanges::engines::exchange*"), &["same"], budget);
}

/// One line of seven differs.
#[test]
fn a_new_head_stays_within_its_budget() {
    let budget = if cfg!(debug_assertions) { 43_000 } else { 4_500 };
    check("http1_exchanges", Some("http1_exchanges::engines::exchange*"), &["new"], budget);
}
