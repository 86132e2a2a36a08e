//! Counts claims and completions over the [`metrics`](https://docs.rs/metrics) facade.
//!
//! Every [`Dedup`](crate::Dedup) records by itself, in a handler, the layer and the middleware. Install a recorder of
//! your choice, such as a Prometheus exporter, then call [`describe`].
//!
//! | metric | type | unit | labels |
//! | --- | --- | --- | --- |
//! | `pierre_webhook_dedup_claims_total` | counter | | `scope`, `outcome` |
//! | `pierre_webhook_dedup_completions_total` | counter | | `scope`, `outcome` |
//! | `pierre_webhook_dedup_leases_lost_total` | counter | | `scope` |
//! | `pierre_webhook_dedup_unrecorded` | gauge | | `scope` |
//!
//! - `scope` is the [scope](crate::Dedup::scope) that you set, without the tenant.
//! - `outcome` of a claim is `claimed`, `completed` (a repeat: the delivery was handled before), `in_progress` (another is
//!   handling it), `unclaimed` (the store failed, and the `Dedup` [fails open](crate::Dedup::fail_open)),
//!   `dedup_unavailable` (the store failed: the sender retries) or `shutting_down`.
//! - `outcome` of a completion is `recorded`, `taken_over` (another claimed the delivery meanwhile, so it is handled
//!   twice), `retrying` (the store failed; it is counted again once that ends) or `not_recorded` (given up: the delivery
//!   may be handled again). [`complete_in`](crate::LeaseHandle::complete_in) isn't counted, since only you know whether it
//!   commits.
//! - A lost lease is one whose renewal was refused, because another has claimed or completed the delivery.
//! - `pierre_webhook_dedup_unrecorded` is how many completions of this process wait for the store: at most 10,000.
//!
//! No label is text from the sender: each scope has at most 12 series.

pub(crate) mod keys;

use metrics::{Gauge, Key, Level, Metadata, Unit, with_recorder};

use self::keys::{CLAIMS, COMPLETIONS, LEASES_LOST, UNRECORDED};
use crate::{once::Recorded, terms::Terms};

static METADATA: Metadata<'_> = Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

/// Tells the installed recorder what each metric means.
pub fn describe() {
    metrics::describe_counter!(
        CLAIMS,
        Unit::Count,
        "Webhook deliveries to handle once, by outcome"
    );
    metrics::describe_counter!(COMPLETIONS, Unit::Count, "Handled webhook deliveries, by outcome");
    metrics::describe_counter!(
        LEASES_LOST,
        Unit::Count,
        "Leases lost while a delivery was handled"
    );
    metrics::describe_gauge!(UNRECORDED, Unit::Count, "Completions that wait for the store");
}

pub(crate) fn claimed(terms: &Terms, outcome: &'static str) {
    increment_outcome(&terms.metrics.claims, outcome);
}

pub(crate) fn completed(terms: &Terms, recorded: Recorded) {
    let outcome = match recorded {
        Recorded::Yes => "recorded",
        Recorded::TakenOver => "taken_over",
        Recorded::Retrying => "retrying",
        Recorded::No => "not_recorded",
    };
    increment_outcome(&terms.metrics.completions, outcome);
}

pub(crate) fn lease_lost(terms: &Terms) {
    increment(&terms.metrics.leases_lost);
}

fn increment_outcome(keys: &[(&'static str, Key)], outcome: &'static str) {
    if let Some((_, key)) = keys.iter().find(|(other, _)| *other == outcome) {
        increment(key);
    }
}

fn increment(key: &Key) {
    with_recorder(|to| to.register_counter(key, &METADATA).increment(1));
}

/// A completion that waits for the store, until this is dropped: also if its runtime ends.
pub(crate) struct Waiting(Gauge);

impl Waiting {
    pub(crate) fn new(terms: &Terms) -> Self {
        let key = &terms.metrics.unrecorded;
        let gauge = with_recorder(|to| to.register_gauge(key, &METADATA));
        gauge.increment(1);
        Self(gauge)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}
