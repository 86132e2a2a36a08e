//! Pieces that a mutation can insert whole. The corpus names a piece by its place, so add new ones at the end.

use std::sync::LazyLock;

/// Names of headers.
pub const NAMES: &[&str] = &[
    "x-pierre-signature",
    "x-pierre-event",
    "content-length",
    "X-Pierre-Signature",
    "X-PIERRE-EVENT",
    "Content-Length",
];

/// Parts of the values of headers. [`Delivery`](crate::delivery::Delivery) adds its own numbers and MACs.
pub const VALUES: &[&str] = &[
    "t=",
    "sha256=",
    "push",
    "repo.sync.started",
    "repo.sync.succeeded",
    "repo.sync.failed",
    ", ",
    "9223372036854775807",
    "18446744073709551615",
    "0000000000000000000000000000000000000000000000000000000000000000",
];

/// Parts of payloads, one a line: members, names, values, and what is hard to reach byte by byte.
pub static JSON: LazyLock<Vec<&str>> = LazyLock::new(|| include_str!("menu.txt").lines().collect());
