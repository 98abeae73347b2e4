//! Generates the crate `greet_rust` of `greet.proto`. For Cargo alone: Bazel has `connect_rust_library`.

fn main() -> Result<(), ringwire_build::Error> {
    ringwire_build::Config::new().file("greet.proto").compile()
}
