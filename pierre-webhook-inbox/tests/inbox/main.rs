//! The inbox over SQLite and over a real PostgreSQL: one contract, and what is special about each.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::assertions_on_result_states,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by a panic; clippy exempts test functions, but not their helpers"
)]

mod contract;
mod database;
mod delivery;
mod eventually;
mod metrics;
mod postgres;
mod receiver;
mod small_disk;
mod sqlite;
mod working;
