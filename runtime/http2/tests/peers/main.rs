//! Our engine against the engines of others, in memory, either side.

mod h2_crate;
mod hyper;
mod shell;
