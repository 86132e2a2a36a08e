//! Counts what is stored and what is processed over the [`metrics`](https://docs.rs/metrics) facade.
//!
//! Receivers and workers record by themselves. Install a recorder of your choice, such as a Prometheus exporter, then
//! call [`describe`].
//!
//! | metric | type | unit | labels |
//! | --- | --- | --- | --- |
//! | `pierre_webhook_inbox_inserted_total` | counter | | `scope`, `outcome` |
//! | `pierre_webhook_inbox_attempts_total` | counter | | `scope`, `outcome` |
//! | `pierre_webhook_inbox_waiting` | gauge | | `scope` |
//! | `pierre_webhook_inbox_oldest_waiting_seconds` | gauge | seconds | `scope` |
//! | `pierre_webhook_inbox_dead` | gauge | | `scope` |
//!
//! - `scope` is the [scope](crate::Inbox::scope) of the inbox.
//! - `outcome` of an insert is `new`, `known`, or the [code](crate::InboxError::code) of the error: `inbox_full` or
//!   `inbox_unavailable`. [`insert_in`](crate::Inbox::insert_in) isn't counted, since only you know whether it commits.
//! - `outcome` of an attempt is `done`, `failed` (it is tried again), `dead` (it was the last), `given_back` (the worker
//!   shut down) or `already_settled` (it was completed in your transaction, or another attempt took over).
//!
//! A [worker](crate::Worker) sets the gauges when it starts and every 15 seconds. They describe the database, so with
//! several workers take their maximum, not their sum. No label is text from the sender: each scope has 12 series.

use std::sync::Arc;

use metrics::{Unit, counter, gauge};

use crate::{
    entry::{Inserted, Stats},
    error::InboxError,
    store::Outcome,
};

const INSERTED: &str = "pierre_webhook_inbox_inserted_total";
const ATTEMPTS: &str = "pierre_webhook_inbox_attempts_total";
const WAITING: &str = "pierre_webhook_inbox_waiting";
const OLDEST_WAITING: &str = "pierre_webhook_inbox_oldest_waiting_seconds";
const DEAD: &str = "pierre_webhook_inbox_dead";

/// Tells the installed recorder what each metric means.
pub fn describe() {
    metrics::describe_counter!(INSERTED, Unit::Count, "Webhook deliveries received, by outcome");
    metrics::describe_counter!(ATTEMPTS, Unit::Count, "Attempts to process a delivery, by outcome");
    metrics::describe_gauge!(WAITING, Unit::Count, "Webhook deliveries that wait or run");
    metrics::describe_gauge!(
        OLDEST_WAITING,
        Unit::Seconds,
        "Time since the oldest of the deliveries that wait or run was stored"
    );
    metrics::describe_gauge!(DEAD, Unit::Count, "Webhook deliveries whose last attempt failed");
}

pub(crate) fn inserted(scope: &Arc<str>, result: &Result<Inserted, InboxError>) {
    let outcome = match result {
        Ok(Inserted::New) => "new",
        Ok(Inserted::Known) => "known",
        Err(error) => error.code(),
    };
    counter!(INSERTED, "scope" => scope.clone(), "outcome" => outcome).increment(1);
}

/// Records an attempt whose outcome was stored, or which had nothing left to store.
pub(crate) fn attempted(scope: &Arc<str>, outcome: &Outcome, is_stored: bool) {
    let outcome = match outcome {
        _ if !is_stored => "already_settled",
        Outcome::Done => "done",
        Outcome::Again { .. } => "failed",
        Outcome::Dead { .. } => "dead",
        Outcome::NotRun => "given_back",
    };
    counter!(ATTEMPTS, "scope" => scope.clone(), "outcome" => outcome).increment(1);
}

/// Sets the gauges.
pub(crate) fn counted(scope: &Arc<str>, stats: &Stats) {
    let waiting = stats.ready.saturating_add(stats.running);
    let oldest = stats.oldest.unwrap_or_default().as_secs_f64();
    gauge!(WAITING, "scope" => scope.clone()).set(waiting as f64);
    gauge!(OLDEST_WAITING, "scope" => scope.clone()).set(oldest);
    gauge!(DEAD, "scope" => scope.clone()).set(stats.dead as f64);
}
