//! Counts deliveries over the [`metrics`](https://docs.rs/metrics) facade.
//!
//! The adapters record each request with their feature `metrics`. Call [`accepted`] and [`rejected`] yourself only if
//! you use this crate alone. Install a recorder of your choice, such as a Prometheus exporter, then call [`describe`].
//!
//! | metric | type | unit | labels |
//! | --- | --- | --- | --- |
//! | `pierre_webhook_deliveries_total` | counter | | `event_type`, `outcome`, `code` |
//! | `pierre_webhook_previous_secret_total` | counter | | |
//! | `pierre_webhook_signature_age_seconds` | histogram | seconds | |
//! | `pierre_webhook_body_bytes` | histogram | bytes | |
//!
//! - `event_type` is one of the four known events, or `other`. A rejected request only claims it.
//! - `outcome` is `accepted` or `rejected`.
//! - `code` is [`Error::code`], or `ok`.
//!
//! `pierre_webhook_previous_secret_total` counts accepted deliveries that matched a secret other than the current one.
//! While it grows, a rotation isn't finished. The histograms hold accepted deliveries only. The age is that of the
//! signature, by the system's clock, when the body was complete.
//!
//! No label is text from the sender, so even hostile requests make at most 75 series of the first counter: five event
//! types, each with 14 codes or `ok`. [`label_tenants`] adds the label `tenant`, which multiplies them.
//!
//! ```
//! // Install a recorder here.
//! pierre_webhook_core::metrics::describe();
//! ```

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering},
    },
    time::UNIX_EPOCH,
};

use metrics::{Key, Label, Level, Metadata, Recorder, Unit, with_recorder};

use crate::{clock, delivery::Delivery, error::Error, event::EventType};

const DELIVERIES: &str = "pierre_webhook_deliveries_total";
const PREVIOUS_SECRET: &str = "pierre_webhook_previous_secret_total";
const SIGNATURE_AGE: &str = "pierre_webhook_signature_age_seconds";
const BODY: &str = "pierre_webhook_body_bytes";

const METADATA: Metadata<'static> =
    Metadata::new("pierre_webhook", Level::INFO, Some(module_path!()));

const EVENT_TYPES: [&str; 5] = [
    EventType::PUSH,
    EventType::REPO_SYNC_STARTED,
    EventType::REPO_SYNC_SUCCEEDED,
    EventType::REPO_SYNC_FAILED,
    "other",
];

static ARE_TENANTS_LABELED: AtomicBool = AtomicBool::new(false);

/// Tells the installed recorder what each metric means, and starts every counter at zero, so that an alert sees the
/// first increase too.
pub fn describe() {
    metrics::describe_counter!(
        DELIVERIES,
        Unit::Count,
        "Webhook deliveries, by event type, outcome and the code of the rejection"
    );
    metrics::describe_counter!(
        PREVIOUS_SECRET,
        Unit::Count,
        "Accepted webhook deliveries whose secret is not the current one"
    );
    metrics::describe_histogram!(
        SIGNATURE_AGE,
        Unit::Seconds,
        "Time from signing a webhook delivery to accepting it"
    );
    metrics::describe_histogram!(
        BODY,
        Unit::Bytes,
        "Size of the body of an accepted webhook delivery"
    );
    let counters = COUNTERS.iter().flat_map(|(_, keys)| keys);
    for key in counters.chain([&PREVIOUS_SECRET_KEY]) {
        with_recorder(|to| to.register_counter(key, &METADATA).increment(0));
    }
}

/// From now on, adds the label `tenant` to the counters, for verifiers that [have
/// one](crate::Verifier::tenant). Off by default, since each tenant adds up to 75 series.
pub fn label_tenants() {
    ARE_TENANTS_LABELED.store(true, Ordering::Relaxed);
}

/// Records an accepted delivery.
pub fn accepted(delivery: &Delivery) {
    let now = clock::system_time().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let age = (now - delivery.signed_at as f64).max(0.0);
    let tenant = delivery.tenant.as_deref();
    with_recorder(|to| {
        increment(to, counter(delivery.event_type(), OK), tenant);
        if delivery.matched_secret > 0 {
            increment(to, &PREVIOUS_SECRET_KEY, tenant);
        }
        to.register_histogram(&SIGNATURE_AGE_KEY, &METADATA).record(age);
        to.register_histogram(&BODY_KEY, &METADATA).record(delivery.body.len() as f64);
    });
}

/// Records a rejected request. `event_type` is what its header says, if it is valid; `tenant` is that of the
/// verifier, if one was found.
pub fn rejected(error: &Error, event_type: Option<&str>, tenant: Option<&str>) {
    let key = counter(event_type.unwrap_or_default(), error.code());
    with_recorder(|to| increment(to, key, tenant));
}

fn increment(to: &dyn Recorder, key: &Key, tenant: Option<&str>) {
    match tenant.filter(|_| ARE_TENANTS_LABELED.load(Ordering::Relaxed)) {
        Some(tenant) => {
            let key = key.with_extra_labels(vec![Label::new("tenant", tenant.to_owned())]);
            to.register_counter(&key, &METADATA).increment(1);
        }
        None => to.register_counter(key, &METADATA).increment(1),
    }
}

static PREVIOUS_SECRET_KEY: Key = Key::from_static_name(PREVIOUS_SECRET);
static SIGNATURE_AGE_KEY: Key = Key::from_static_name(SIGNATURE_AGE);
static BODY_KEY: Key = Key::from_static_name(BODY);

/// The code of an accepted delivery.
const OK: &str = "ok";

/// A key for each event type and code, so that recording neither allocates nor hashes labels.
static COUNTERS: LazyLock<Vec<(&str, [Key; 5])>> = LazyLock::new(|| {
    [OK].into_iter()
        .chain(Error::CODES.iter().copied())
        .map(|code| (code, EVENT_TYPES.map(|event_type| counter_key(event_type, code))))
        .collect()
});

fn counter(event_type: &str, code: &str) -> &'static Key {
    static OTHER: LazyLock<Key> = LazyLock::new(|| counter_key("other", "other"));

    let known = EVENT_TYPES.iter().position(|known| *known == event_type);
    let of_code = COUNTERS.iter().find(|(known, _)| *known == code);
    of_code
        .and_then(|(_, keys)| known.map_or(keys.last(), |index| keys.get(index)))
        .unwrap_or(&OTHER)
}

fn counter_key(event_type: &'static str, code: &'static str) -> Key {
    let outcome = if code == OK { "accepted" } else { "rejected" };
    let labels = [("event_type", event_type), ("outcome", outcome), ("code", code)];
    Key::from_parts(
        DELIVERIES,
        labels.map(|(name, value)| Label::from_static_parts(name, value)).to_vec(),
    )
}

#[cfg(test)]
mod tests;
