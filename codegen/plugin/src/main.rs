//! `protoc-gen-connect-rust`: the code generator as a plugin of protoc and buf.
//!
//! The contract is protoc's: a request on stdin, a response on stdout. What is wrong with a schema or an option is part
//! of the response; only what is no request at all fails the program.

#![forbid(unsafe_code)]

mod parameters;

use buffa::Message as _;
use buffa_codegen::generated::compiler::code_generator_response::{Feature, File};
use buffa_codegen::generated::compiler::{CodeGeneratorRequest, CodeGeneratorResponse};
use buffa_codegen::generated::descriptor::Edition;
use parameters::Parameters;
use ringwire_codegen::{Layout, Request, Schema};
use std::io::{Read as _, Write as _};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let printed = match arguments.first().map(String::as_str) {
        None => return plug_in(),
        Some("--help" | "-h") => parameters::help(),
        Some("--version") => format!("protoc-gen-connect-rust {}\n", env!("CARGO_PKG_VERSION")),
        Some(other) => {
            eprintln!("protoc-gen-connect-rust takes no argument {other:?}; see --help");
            return ExitCode::FAILURE;
        }
    };
    print!("{printed}");
    ExitCode::SUCCESS
}

fn plug_in() -> ExitCode {
    match respond() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("protoc-gen-connect-rust: {error}; protoc and buf run this program, see --help");
            ExitCode::FAILURE
        }
    }
}

fn respond() -> Result<(), String> {
    let mut input = Vec::new();
    std::io::stdin().read_to_end(&mut input).map_err(|error| format!("cannot read stdin: {error}"))?;
    let request = buffa_codegen::decode_request(&input)?;
    let mut response = CodeGeneratorResponse {
        supported_features: Some(
            Feature::FEATURE_PROTO3_OPTIONAL as u64 | Feature::FEATURE_SUPPORTS_EDITIONS as u64,
        ),
        minimum_edition: Some(Edition::EDITION_PROTO2 as i32),
        maximum_edition: Some(Edition::EDITION_2024 as i32),
        ..Default::default()
    };
    match generate(request) {
        Ok(file) => response.file.push(file),
        Err(error) => response.error = Some(error),
    }
    let output = response.encode_to_vec();
    std::io::stdout().write_all(&output).map_err(|error| format!("cannot write stdout: {error}"))
}

fn generate(request: CodeGeneratorRequest) -> Result<File, String> {
    let parameters = Parameters::parse(request.parameter.as_deref().unwrap_or_default())?;
    let schema = Schema::new(request.proto_file);
    let text = ringwire_codegen::generate(&Request {
        schema: &schema,
        generate: &request.file_to_generate,
        externs: &parameters.externs,
        mode: parameters.mode,
        layout: Layout::File,
        options: &parameters.options,
    })
    .map_err(|error| error.to_string())?;
    Ok(File { name: Some(parameters.file), content: Some(text), ..Default::default() })
}
