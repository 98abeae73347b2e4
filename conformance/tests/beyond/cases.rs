//! The cases.

mod abuse;
mod client;
mod compression;
mod deadlines;
mod early;
mod fields;
mod get;
mod goaway;
mod http1;
mod limits;
mod metadata;

use crate::case::Case;

pub(crate) use client::client_cases;

pub(crate) fn all() -> Vec<Case> {
    [
        deadlines::cases(),
        compression::cases(),
        get::cases(),
        metadata::cases(),
        early::cases(),
        limits::cases(),
        goaway::cases(),
        fields::cases(),
        http1::cases(),
        abuse::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
