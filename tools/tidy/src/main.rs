//! The checks from a terminal: `ringwire-tidy [largest | bazelrc | readme-commands]`.
#![forbid(unsafe_code)]

use std::error::Error;
use std::process::ExitCode;
use std::{env, fs};

use ringwire_tidy::{CHECKS, Tree, allow, docs, findings, largest, lints, tree};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let root = tree::workspace_root()?;
    let tree = Tree::read(&root)?;
    match env::args().nth(1).as_deref() {
        None => {
            let mut found: Vec<_> = CHECKS.iter().flat_map(|check| findings(check, &tree)).collect();
            found.extend(allow::check(&tree));
            for finding in &found {
                println!("{finding}");
            }
            return Ok(if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Some("largest") => print!("{}", largest::report(&tree)),
        Some("bazelrc") => println!("{}", lints::bazelrc(&fs::read_to_string(root.join("Cargo.toml"))?)?),
        Some("readme-commands") => {
            for command in docs::runnable(&tree) {
                println!("{command}");
            }
        }
        Some(_) => {
            eprintln!("usage: ringwire-tidy [largest | bazelrc | readme-commands]");
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}
