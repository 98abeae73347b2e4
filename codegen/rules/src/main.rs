//! The code generator as Bazel rules run it: descriptor sets in, one Rust file out.
//!
//! It reads what its arguments name and nothing else, and what it writes depends on nothing else.

#![forbid(unsafe_code)]

mod arguments;

use arguments::Arguments;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--help"] => print!("{}", arguments::help()),
        ["--version"] => println!("ringwire-codegen-rules {}", env!("CARGO_PKG_VERSION")),
        _ => generate(&Arguments::parse(arguments::expand(arguments)?)?)?,
    }
    Ok(())
}

fn generate(arguments: &Arguments) -> Result<(), String> {
    let refused = |error: &dyn std::fmt::Display| match &arguments.target {
        Some(target) => format!("{target}: {error}"),
        None => error.to_string(),
    };
    let text = arguments.generate().map_err(|error| refused(&error))?;
    std::fs::write(&arguments.out, text)
        .map_err(|error| refused(&format!("cannot write {}: {error}", arguments.out)))
}
