//! Comments of the schema as documentation of Rust.
