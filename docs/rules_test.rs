//! The page of the rules says what their sources say.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)] // A test's way to fail.

use std::{env, fs};

#[test]
fn the_page_is_what_the_sources_say() {
    let extracts: Vec<_> =
        env::var("EXTRACTS").unwrap().split(' ').map(|extract| fs::read(extract).unwrap()).collect();
    let (page, made) = (fs::read_to_string(env::var("PAGE").unwrap()).unwrap(), rules_docs::page(&extracts));
    let lines = page.lines().zip(made.lines()).enumerate();
    for (at, (is, should_be)) in lines {
        assert_eq!(
            is,
            should_be,
            "line {}: `tools/bazel run //docs:update_rules` writes the page anew",
            at + 1
        );
    }
    assert_eq!(page, made);
}
