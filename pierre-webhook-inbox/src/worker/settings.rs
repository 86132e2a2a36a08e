//! The settings of a worker.

use std::time::Duration;

use crate::{backoff::Backoff, store::Order};

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) concurrency: usize,
    pub(super) order: Order,
    pub(super) max_attempts: u32,
    pub(super) backoff: Backoff,
    pub(super) lease: Duration,
    pub(super) timeout: Duration,
    pub(super) poll_interval: Duration,
    pub(super) shutdown_timeout: Duration,
}

impl Settings {
    /// How often a lease is renewed. Never zero.
    pub(super) fn renewal(&self) -> Duration {
        self.lease.checked_div(3).unwrap_or(self.lease)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            concurrency: 8,
            order: Order::Any,
            max_attempts: 20,
            backoff: Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(3600) },
            lease: Duration::from_secs(30),
            timeout: Duration::from_secs(15 * 60),
            poll_interval: Duration::from_secs(1),
            shutdown_timeout: Duration::from_secs(20),
        }
    }
}
