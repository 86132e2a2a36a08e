//! Properties of every delivery, not only of the listed ones.

use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use pierre_webhook_core::{
    Delivery, DeliveryHeaders, EVENT_HEADER, Error, Event, SIGNATURE_HEADER, Secret, Verifier,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::Sha256;

/// Secrets that aren't blank.
fn secrets() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 1..100)
        .prop_filter("blank", |secret| Secret::new(secret).is_ok())
}

fn bodies() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..300),
        any::<Vec<u8>>().prop_map(|bytes| json!({ "bytes": bytes }).to_string().into_bytes()),
        payloads().prop_map(|(_, payload)| payload.to_string().into_bytes()),
    ]
}

/// A known event type, with a payload for it.
fn payloads() -> impl Strategy<Value = (&'static str, Value)> {
    let text = || prop_oneof![any::<String>(), Just("refs/heads/main".to_owned())];
    let time = || (-9_000_000_000_i64..9_000_000_000).prop_map(time);
    let repository = (text(), text(), any::<Option<String>>()).prop_map(|(id, url, repo_name)| {
        json!({ "id": id, "url": url, "repo_name": repo_name, "later": [id] })
    });
    let push = (repository.clone(), any::<Option<String>>(), text(), text(), text(), text(), time())
        .prop_map(|(repository, org, git_ref, before, after, customer_id, pushed_at)| {
            ("push", json!({
                "repository": repository, "org": org, "ref": git_ref, "before": before, "after": after,
                "customer_id": customer_id, "pushed_at": pushed_at, "later": {},
            }))
        });
    let sync = (repository, any::<u64>(), any::<bool>(), time(), time(), text(), 0..3_usize)
        .prop_map(
            |(repository, run_count, is_first_sync, started_at, completed_at, error, index)| {
                let event_type =
                    ["repo.sync.started", "repo.sync.succeeded", "repo.sync.failed"][index];
                (
                    event_type,
                    json!({
                        "type": event_type, "repository": repository, "run_count": run_count,
                        "is_first_sync": is_first_sync, "started_at": started_at,
                        "completed_at": completed_at, "error": error,
                    }),
                )
            },
        );
    prop_oneof![push, sync]
}

fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap().to_string()
}

fn headers<'a>(signature: &'a str, event_type: &'a str) -> DeliveryHeaders<'a> {
    DeliveryHeaders::parse([(SIGNATURE_HEADER, signature), (EVENT_HEADER, event_type)]).unwrap()
}

fn streamed(
    verifier: &Verifier,
    headers: &DeliveryHeaders<'_>,
    body: &[u8],
    cuts: &[prop::sample::Index],
) -> Result<Delivery, Error> {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
    cuts.extend([0, body.len()]);
    cuts.sort_unstable();
    let mut pending = verifier.begin(headers)?;
    for cut in cuts.windows(2) {
        pending.push(Bytes::copy_from_slice(&body[cut[0]..cut[1]]))?;
    }
    pending.finish()
}

/// The formula in the webhook guide.
fn official(secret: &[u8], timestamp: u64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(format!("{timestamp}.").as_bytes());
    mac.update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

proptest! {
    #[test]
    fn chunking_makes_no_difference(
        secret in secrets(),
        body in bodies(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..9),
        event_type in prop_oneof![Just("push"), Just("repo.sync.failed"), Just("ping")],
        limit in 0..400_usize,
        is_tampered in any::<bool>(),
    ) {
        let secret = Secret::new(secret).unwrap();
        let signature = secret.sign(7, if is_tampered { b"other" } else { &body });
        let verifier = Verifier::new(secret).any_age().body_limit(limit);
        let headers = headers(&signature, event_type);
        let whole = verifier.verify(&headers, body.clone().into());
        prop_assert_eq!(streamed(&verifier, &headers, &body, &cuts), whole);
    }

    #[test]
    fn an_accepted_delivery_is_signed_by_the_official_formula(
        secret in secrets(),
        timestamp in 0..i64::MAX as u64,
        body in bodies(),
    ) {
        let mac = official(&secret, timestamp, &body);
        let ours = Secret::new(&secret).unwrap();
        prop_assert_eq!(ours.sign(timestamp, &body), format!("t={timestamp},sha256={mac}"));
        let verifier = Verifier::new(ours).any_age();
        let header = format!("t={timestamp},sha256={}", mac.to_uppercase());
        prop_assert_eq!(verifier.verify_signature(header, &body), Ok(timestamp));
    }

    #[test]
    fn a_change_of_one_bit_anywhere_is_rejected(
        secret in secrets(),
        body in bodies(),
        place in any::<prop::sample::Index>(),
        bit in 0..8_u32,
    ) {
        let flip = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            if !bytes.is_empty() {
                let place = place.index(bytes.len());
                bytes[place] ^= 1 << bit;
            }
            bytes
        };
        let ours = Secret::new(&secret).unwrap();
        let signature = ours.sign(1_790_000_000, &body);
        let verifier = Verifier::new(ours).any_age();

        let header = flip(signature.as_bytes());
        // Only the case of a hex digit doesn't matter.
        let digits = "t=1790000000,sha256=".len();
        let is_same = header[..digits] == signature.as_bytes()[..digits]
            && header[digits..].eq_ignore_ascii_case(&signature.as_bytes()[digits..]);
        prop_assert_eq!(verifier.verify_signature(&header, &body).is_ok(), is_same);
        let other = flip(&body);
        if other != body {
            prop_assert_eq!(verifier.verify_signature(&signature, &other), Err(Error::InvalidSignature));
        }
        if let Ok(other) = Secret::new(flip(&secret)) {
            let verifier = Verifier::new(other).any_age();
            prop_assert_eq!(verifier.verify_signature(&signature, &body), Err(Error::InvalidSignature));
        }
    }

    #[test]
    fn the_window_is_as_wide_as_it_is_set(
        now in 0..1_u64 << 40,
        age in -100_000..100_000_i64,
        max_age in 0..100_000_u64,
        tolerance in 0..100_000_u64,
    ) {
        let timestamp = now.saturating_add_signed(-age);
        let age = now as i64 - timestamp as i64;
        let secret = Secret::new("s").unwrap();
        let signature = secret.sign(timestamp, b"");
        let outcome = Verifier::new(secret)
            .max_age(Duration::from_secs(max_age))
            .future_tolerance(Duration::from_secs(tolerance))
            .clock(move || UNIX_EPOCH + Duration::from_secs(now))
            .verify_signature(signature, b"");
        let is_old = age > max_age as i64;
        let is_ahead = -age > tolerance as i64;
        match outcome {
            Ok(signed_at) => prop_assert!(signed_at == timestamp && !is_old && !is_ahead),
            Err(Error::TimestampTooOld { age: told, .. }) => prop_assert!(is_old && told as i64 == age),
            Err(Error::TimestampInFuture) => prop_assert!(is_ahead),
            Err(other) => prop_assert!(false, "{other}"),
        }
    }

    #[test]
    fn a_serialized_payload_is_read_back((event_type, payload) in payloads()) {
        let event = Event::from_json(event_type, payload.to_string().into()).unwrap();
        let written = match &event {
            Event::Push(event) => serde_json::to_vec(event),
            Event::RepoSyncStarted(event) => serde_json::to_vec(event),
            Event::RepoSyncSucceeded(event) => serde_json::to_vec(event),
            Event::RepoSyncFailed(event) => serde_json::to_vec(event),
            other => panic!("{other:?}"),
        };
        prop_assert_eq!(Event::from_json(event_type, written.unwrap().into()), Ok(event));
    }

    #[test]
    fn no_header_panics(headers in prop::collection::vec((".{0,20}", any::<Vec<u8>>()), 0..9)) {
        let pairs = || headers.iter().map(|(name, value)| (name, value));
        let named = [SIGNATURE_HEADER, EVENT_HEADER, "content-length"].iter().cycle();
        let _ = DeliveryHeaders::parse(pairs());
        let _ = DeliveryHeaders::parse(named.zip(headers.iter().map(|(_, value)| value)));
    }
}
