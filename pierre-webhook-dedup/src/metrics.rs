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

use metrics::{Gauge, SharedString, Unit, counter, gauge};

use crate::{once::Recorded, terms::Terms};

const CLAIMS: &str = "pierre_webhook_dedup_claims_total";
const COMPLETIONS: &str = "pierre_webhook_dedup_completions_total";
const LEASES_LOST: &str = "pierre_webhook_dedup_leases_lost_total";
const UNRECORDED: &str = "pierre_webhook_dedup_unrecorded";

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
    counter!(CLAIMS, "scope" => scope(terms), "outcome" => outcome).increment(1);
}

pub(crate) fn completed(terms: &Terms, recorded: Recorded) {
    let outcome = match recorded {
        Recorded::Yes => "recorded",
        Recorded::TakenOver => "taken_over",
        Recorded::Retrying => "retrying",
        Recorded::No => "not_recorded",
    };
    counter!(COMPLETIONS, "scope" => scope(terms), "outcome" => outcome).increment(1);
}

pub(crate) fn lease_lost(terms: &Terms) {
    counter!(LEASES_LOST, "scope" => scope(terms)).increment(1);
}

/// A completion that waits for the store, until this is dropped: also if its runtime ends.
pub(crate) struct Waiting(Gauge);

impl Waiting {
    pub(crate) fn new(terms: &Terms) -> Self {
        let gauge = gauge!(UNRECORDED, "scope" => scope(terms));
        gauge.increment(1);
        Self(gauge)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

/// The scope without its tenant: there may be any number of those.
fn scope(terms: &Terms) -> SharedString {
    match terms.scope_of_all_tenants() {
        Some(scope) => SharedString::from(scope.to_owned()),
        None => SharedString::from(terms.scope.clone()),
    }
}
