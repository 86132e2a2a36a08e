//! The layer: in process, in every position of a stack, and in servers on loopback.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "tests fail by a panic; clippy exempts test functions, but not their helpers"
)]

mod bodies;
mod compositions;
mod find;
mod readiness;
mod rejection;
mod trace;
