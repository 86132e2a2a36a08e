//! Deduplication over memory and Redis: in a handler, as a layer, and through real HTTP.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::assertions_on_result_states,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by a panic; clippy exempts test functions, but not their helpers"
)]

mod actix;
mod actix_shutdown;
mod cancelled;
mod disconnect;
mod fail_open;
mod faulty;
mod layer;
mod lease_orders;
mod lost;
mod memory;
mod metrics;
mod middleware;
mod once;
mod postgres;
mod redis;
mod relabeled;
mod renewal;
mod shutdown;
mod sqlite;
mod store_failure;
mod trace;
mod unique;
mod waiting;
