//! The instructions of a unary call without a connection, counted by callgrind.

use ringwire_testing::instructions::check;

#[test]
fn a_unary_call_stays_within_its_budget() {
    for (protocol, heads, [optimised, debug]) in BUDGETS {
        let budget = if cfg!(debug_assertions) { debug } else { optimised };
        check("unary_calls", None, &[protocol, heads], budget);
    }
}

/// For heads that were never seen, and for one that comes again with its opening kept: with the workspace's release profile,
/// and without optimisation.
const BUDGETS: [(&str, &str, [u64; 2]); 4] = [
    ("grpc", "new", [3_450, 28_000]),
    ("grpc", "again", [3_010, 23_800]),
    ("connect", "new", [3_390, 27_400]),
    ("connect", "again", [2_890, 21_900]),
];
