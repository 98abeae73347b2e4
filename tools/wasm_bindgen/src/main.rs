//! Makes a module of JavaScript of a Rust program for wasm32, by wasm-bindgen's own library: the version is that of
//! the lock file, so that it and the program fit together.

#![forbid(unsafe_code)]

use std::process::ExitCode;
use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [program, folder] = &arguments[..] else {
        eprintln!("{USAGE}");
        return ExitCode::from(if arguments == ["--help"] { 0 } else { 2 });
    };
    let mut bindgen = Bindgen::new();
    let made = bindgen
        .input_path(program)
        .web(true)
        .and_then(|bindgen| bindgen.typescript(false).out_name("program").generate(folder));
    match made {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{program}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

const USAGE: &str = "usage: ringwire-wasm-bindgen PROGRAM.wasm FOLDER

Writes program.js and program_bg.wasm into the folder: an ES module for browsers, and for Node, whose default export
takes the bytes or the address of the second.";
