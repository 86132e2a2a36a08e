//! The extractor and the middleware: in process, and in servers on loopback.

#![expect(
    clippy::assertions_on_result_states,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "tests fail by a panic; clippy exempts test functions, but not their helpers"
)]

mod connection;
mod find;
mod middleware;
mod payload;
mod rejection;
mod trace;
