//! Models of the two protocols that keep deliveries, searched for every state that they can reach.
//!
//! A test shows what no interleaving that it happens to take contradicts. A model is searched whole: all orders of requests,
//! answers, losses, delays, expiries, crashes and restarts. Each model has faults that can be seeded, and each of those
//! is found, so that the properties are known to mean something.
//!
//! - `claim`: who may handle a delivery, by `pierre-webhook-dedup` and its stores.
//! - `inbox`: which delivery runs when, and what becomes of it, by `pierre-webhook-inbox`.
//!
//! A model has no clock: a lease expires whenever it may, and whoever still works under it has outlived it. That covers
//! every clock, slow network and suspended process.
//!
//! `cargo test -p pierre-webhook-models -- --nocapture` prints how each fault is found.

mod claim;
mod inbox;
mod search;
