use metrics::with_local_recorder;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};

use super::*;
use crate::{
    headers::{DeliveryHeaders, EVENT_HEADER, SIGNATURE_HEADER},
    secret::Secret,
    verifier::Verifier,
};

/// What was recorded: `name{label=value,…}` and the value, of a histogram the number of samples.
fn recorded(record: impl FnOnce()) -> Vec<(String, u64)> {
    let recorder = DebuggingRecorder::new();
    with_local_recorder(&recorder, record);
    let mut lines: Vec<_> = recorder
        .snapshotter()
        .snapshot()
        .into_vec()
        .into_iter()
        .map(|(key, _, _, value)| {
            let (name, labels) = key.key().clone().into_parts();
            let labels: Vec<_> =
                labels.iter().map(|label| format!("{}={}", label.key(), label.value())).collect();
            let value = match value {
                DebugValue::Counter(value) => value,
                DebugValue::Histogram(samples) => samples.len() as u64,
                DebugValue::Gauge(_) => panic!("no gauge is recorded"),
            };
            (format!("{}{{{}}}", name.as_str(), labels.join(",")), value)
        })
        .collect();
    lines.sort();
    lines
}

fn line(text: &str, value: u64) -> (String, u64) {
    (text.to_owned(), value)
}

fn delivery(event_type: &str, matched_secret: usize) -> Delivery {
    let secrets = ["a", "b"].map(|secret| Secret::new(secret).unwrap());
    let signature = secrets[matched_secret].sign(7, b"[1]");
    let headers = [(SIGNATURE_HEADER, &*signature), (EVENT_HEADER, event_type)];
    let [current, previous] = secrets;
    let verifier = Verifier::new(current).or_secret(previous).any_age();
    verifier.verify(&DeliveryHeaders::parse(headers).unwrap(), "[1]".into()).unwrap()
}

#[test]
fn an_accepted_delivery_is_counted_and_measured() {
    let lines = recorded(|| {
        accepted(&delivery("branch.created", 0));
        accepted(&delivery("branch.deleted", 1));
    });
    let expected = [
        line("pierre_webhook_body_bytes{}", 2),
        line("pierre_webhook_deliveries_total{event_type=other,outcome=accepted,code=ok}", 2),
        line("pierre_webhook_previous_secret_total{}", 1),
        line("pierre_webhook_signature_age_seconds{}", 2),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn every_counter_starts_at_zero() {
    let lines = recorded(describe);
    assert_eq!(lines.len(), 5 * 15 + 1);
    assert!(lines.iter().all(|(_, count)| *count == 0), "{lines:?}");
}

#[test]
fn a_rejection_is_counted_by_its_code() {
    let lines = recorded(|| {
        rejected(&Error::InvalidSignature, Some("push"), Some("acme"));
        rejected(&Error::BodyTooLarge { limit: 1 }, Some("push"), None);
        rejected(&Error::MissingEventHeader, None, None);
    });
    let expected = [
        ("other", "missing_event_header"),
        ("push", "body_too_large"),
        ("push", "invalid_signature"),
    ]
    .map(|(event_type, code)| {
        let labels = format!("event_type={event_type},outcome=rejected,code={code}");
        (format!("pierre_webhook_deliveries_total{{{labels}}}"), 1)
    });
    assert_eq!(lines, expected);
}

#[test]
fn hostile_requests_make_at_most_75_series() {
    let errors = [
        Error::MissingSignatureHeader,
        Error::MissingEventHeader,
        Error::InvalidSignatureHeader,
        Error::InvalidTimestamp,
        Error::VerifierUnavailable,
        Error::TimestampTooOld { age: 1 },
        Error::TimestampInFuture,
        Error::BodyTooLarge { limit: 1 },
        Error::BodyTooLargeForServer,
        Error::BodyUnreadable,
        Error::InvalidSignature,
        Error::InvalidJson { line: 1, column: 1 },
        Error::EventTypeMismatch { header: String::new(), body: String::new() },
        Error::InvalidPayload {
            event_type: String::new(),
            field: String::new(),
            line: 1,
            column: 1,
        },
    ];
    assert_eq!(errors.each_ref().map(Error::code), Error::CODES);
    let lines = recorded(|| {
        for n in 0..1_000_000 / 14 {
            let event_type = match n % 100 {
                0 => EventType::PUSH.to_owned(),
                1 => EventType::REPO_SYNC_STARTED.to_owned(),
                2 => EventType::REPO_SYNC_SUCCEEDED.to_owned(),
                3 => EventType::REPO_SYNC_FAILED.to_owned(),
                _ => format!("event.{n}"),
            };
            for error in &errors {
                rejected(error, Some(&event_type), None);
            }
        }
    });
    assert_eq!(lines.len(), 5 * 14);
    assert_eq!(lines.iter().map(|(_, count)| count).sum::<u64>(), 1_000_000 / 14 * 14);
}
