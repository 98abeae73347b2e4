//! `tools/bazel run //docs:update_rules` writes `docs/rules.md` anew.

#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let mut arguments = env::args_os().skip(1);
    let page = arguments.next().ok_or_else(|| io::Error::other("which page?"))?;
    let extracts = arguments.map(fs::read).collect::<io::Result<Vec<_>>>()?;
    let workspace =
        env::var_os("BUILD_WORKSPACE_DIRECTORY").ok_or_else(|| io::Error::other("run it by `bazel run`"))?;
    fs::write(PathBuf::from(workspace).join(page), rules_docs::page(&extracts))
}
