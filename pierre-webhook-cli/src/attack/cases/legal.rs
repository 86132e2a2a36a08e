//! Deliveries that must be accepted, however unusual.

use pierre_webhook_core::{EVENT_HEADER, SIGNATURE_HEADER};

use crate::{
    attack::{case::Case, raw_request::signature},
    payload::KnownEvent,
};

const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

pub(super) const CASES: &[Case] = &[
    Case::new("push", "a documented push", |maker| Some(maker.good())),
    Case::new("sync-started", "a sync that started", |maker| {
        Some(maker.known(KnownEvent::SyncStarted))
    }),
    Case::new("sync-succeeded", "a sync that succeeded", |maker| {
        Some(maker.known(KnownEvent::SyncSucceeded))
    }),
    Case::new("sync-failed", "a sync that failed", |maker| {
        Some(maker.known(KnownEvent::SyncFailed))
    }),
    Case::new("unknown-event", "an event type added later", |maker| {
        Some(maker.request("branch.created", r#"{"branch":"main"}"#))
    }),
    Case::new("unknown-event-array", "an unknown event whose payload is not an object", |maker| {
        Some(maker.request("branch.created", "[1,2]"))
    }),
    Case::new("unknown-event-longest", "an event type of 128 characters", |maker| {
        Some(maker.request(&"x".repeat(128), "{}"))
    }),
    Case::new("event-spaces-around", "spaces and tabs around the event type", |maker| {
        Some(maker.good().with_header(EVENT_HEADER, " \tpush \t"))
    }),
    Case::new("header-names-upper-case", "header names in upper case", |maker| {
        let good = maker.good();
        let (event, signature) = (good.header(EVENT_HEADER), good.header(SIGNATURE_HEADER));
        let good = good.without_header(EVENT_HEADER).without_header(SIGNATURE_HEADER);
        Some(good.with_line("X-PIERRE-EVENT", event).with_line("X-PIERRE-SIGNATURE", signature))
    }),
    Case::new("signature-spaces", "spaces and tabs around the signature's elements", |maker| {
        Some(maker.with_signature(|t, hex| format!(" t={t} ,\tsha256={hex} ")))
    }),
    Case::new("signature-reversed", "sha256 before t", |maker| {
        Some(maker.with_signature(|t, hex| format!("sha256={hex},t={t}")))
    }),
    Case::new("signature-unknown-elements", "unknown elements", |maker| {
        Some(maker.with_signature(|t, hex| format!("v=2,junk,,t={t},sha512=ab,sha256={hex}")))
    }),
    Case::new("signature-two-right-first", "two sha256, the first one correct", |maker| {
        Some(maker.with_signature(|t, hex| format!("t={t},sha256={hex},sha256={ZEROS}")))
    }),
    Case::new("signature-two-right-last", "two sha256, the last one correct", |maker| {
        Some(maker.with_signature(|t, hex| format!("t={t},sha256={ZEROS},sha256={hex}")))
    }),
    Case::new("signature-empty-one", "an empty sha256 before the correct one", |maker| {
        Some(maker.with_signature(|t, hex| format!("t={t},sha256=,sha256={hex}")))
    }),
    Case::new("signature-upper-case", "hex digits in upper case", |maker| {
        Some(maker.with_signature(|t, hex| signature(t, &hex.to_uppercase())))
    }),
    Case::new("signature-4k-junk", "four thousand bytes of unknown elements", |maker| {
        // Servers with a lower limit for header lines answer 431.
        Some(maker.with_signature(|t, hex| format!("{}t={t},sha256={hex}", "junk,".repeat(800))))
    }),
    Case::new("other-secret", "signed with the second secret, as during a rotation", |maker| {
        maker.other_secret().map(|secret| maker.with_secret(secret))
    }),
    Case::new("age-within", "nearly too old", |maker| {
        let oldest = i64::try_from(maker.max_age.as_secs()).ok()?;
        let age = oldest.checked_sub(10).filter(|age| *age > 0)?;
        Some(maker.aged(age))
    }),
    Case::new("ahead-within", "signed by a clock 40 seconds ahead", |maker| Some(maker.aged(-40))),
    Case::new(
        "timestamp-leading-zeros",
        "a timestamp with leading zeros, which are signed",
        |maker| Some(maker.with_timestamp(&format!("00{}", maker.now(0)), signature)),
    ),
    Case::new("body-newline", "a signed newline after the JSON", |maker| {
        Some(maker.request("push", [&maker.body(KnownEvent::Push)[..], b"\n"].concat()))
    }),
    Case::new("body-spaced", "signed white space around the JSON", |maker| {
        let body = [b" \r\n\t", &maker.body(KnownEvent::Push)[..], b" "].concat();
        Some(maker.request("push", body))
    }),
    Case::new("body-not-ascii", "text in several scripts, plain and escaped", |maker| {
        Some(maker.request(
            "unknown",
            "{\"a\":\"é 日本 \u{1f600}\",\"b\":\"\\u00e9\\ud83d\\ude00\\u0000\"}",
        ))
    }),
    Case::new("body-big-numbers", "numbers too large for any type, in an unknown event", |maker| {
        Some(maker.request("unknown", r#"{"a":1e400,"b":123456789012345678901234567890}"#))
    }),
    Case::new("body-deep", "a value nested 100,000 levels deep, in an unknown event", |maker| {
        const DEPTH: usize = 100_000;
        let body = format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH));
        (body.len() <= maker.limit).then(|| maker.request("unknown", body))
    }),
    Case::new("body-deep-field", "a deeply nested value in an unknown field", |maker| {
        const DEPTH: usize = 10_000;
        let push = String::from_utf8(maker.body(KnownEvent::Push)).ok()?;
        let deep = format!(r#"{{"deep":{}{},"#, "[".repeat(DEPTH), "]".repeat(DEPTH));
        let body = push.replacen('{', &deep, 1);
        (body.len() <= maker.limit).then(|| maker.request("push", body))
    }),
    Case::new("body-largest", "a body of exactly the limit", |maker| maker.filled(0)),
];
