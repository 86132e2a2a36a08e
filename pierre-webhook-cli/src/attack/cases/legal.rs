//! What must be accepted, however unusual.

use pierre_webhook_core::{EVENT_HEADER, SIGNATURE_HEADER};

use super::{Case, case};
use crate::{attack::maker::signature, send::Known};

const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

pub(super) const CASES: &[Case] = &[
    case("push", "a push as documented", |maker| Some(maker.good())),
    case("sync-started", "a sync that started", |maker| Some(maker.known(Known::SyncStarted))),
    case("sync-succeeded", "a sync that succeeded", |maker| {
        Some(maker.known(Known::SyncSucceeded))
    }),
    case("sync-failed", "a sync that failed", |maker| Some(maker.known(Known::SyncFailed))),
    case("unknown-event", "an event type added later", |maker| {
        Some(maker.request("branch.created", r#"{"branch":"main"}"#))
    }),
    case("unknown-event-array", "a new event whose payload is no object", |maker| {
        Some(maker.request("branch.created", "[1,2]"))
    }),
    case("unknown-event-longest", "an event type of 128 characters", |maker| {
        Some(maker.request(&"x".repeat(128), "{}"))
    }),
    case("event-spaces-around", "spaces and tabs around the event type", |maker| {
        Some(maker.good().with_header(EVENT_HEADER, " \tpush \t"))
    }),
    case("header-names-upper-case", "header names in upper case", |maker| {
        let good = maker.good();
        let (event, signature) = (good.header(EVENT_HEADER), good.header(SIGNATURE_HEADER));
        let good = good.without_header(EVENT_HEADER).without_header(SIGNATURE_HEADER);
        Some(good.with_second("X-PIERRE-EVENT", event).with_second("X-PIERRE-SIGNATURE", signature))
    }),
    case("signature-spaces", "spaces and tabs around the signature's elements", |maker| {
        Some(maker.with_signature(|t, hex| format!(" t={t} ,\tsha256={hex} ")))
    }),
    case("signature-reversed", "sha256 before t", |maker| {
        Some(maker.with_signature(|t, hex| format!("sha256={hex},t={t}")))
    }),
    case("signature-unknown-elements", "elements that are not known", |maker| {
        Some(maker.with_signature(|t, hex| format!("v=2,junk,,t={t},sha512=ab,sha256={hex}")))
    }),
    case("signature-two-right-first", "two sha256, the first one right", |maker| {
        Some(maker.with_signature(|t, hex| format!("t={t},sha256={hex},sha256={ZEROS}")))
    }),
    case("signature-two-right-last", "two sha256, the last one right", |maker| {
        Some(maker.with_signature(|t, hex| format!("t={t},sha256={ZEROS},sha256={hex}")))
    }),
    case("signature-empty-one", "an empty sha256 beside the right one", |maker| {
        Some(maker.with_signature(|t, hex| format!("t={t},sha256=,sha256={hex}")))
    }),
    case("signature-upper-case", "hex digits in upper case", |maker| {
        Some(maker.with_signature(|t, hex| signature(t, &hex.to_uppercase())))
    }),
    case("signature-4k-junk", "four thousand bytes of unknown elements", |maker| {
        // Servers that take no header line of that size answer 431.
        Some(maker.with_signature(|t, hex| format!("{}t={t},sha256={hex}", "junk,".repeat(800))))
    }),
    case("other-secret", "signed with the second secret, as in a rotation", |maker| {
        maker.other_secret().map(|secret| maker.with_secret(secret))
    }),
    case("age-within", "nearly too old", |maker| {
        let oldest = i64::try_from(maker.max_age.as_secs()).ok()?;
        let age = oldest.checked_sub(10).filter(|age| *age > 0)?;
        Some(maker.aged(age))
    }),
    case("ahead-within", "signed by a clock that is 40 seconds ahead", |maker| {
        Some(maker.aged(-40))
    }),
    case(
        "timestamp-leading-zeros",
        "a timestamp with leading zeros, signed as it stands",
        |maker| Some(maker.with_timestamp(&format!("00{}", maker.now(0)), signature)),
    ),
    case("body-newline", "a newline behind the JSON, signed", |maker| {
        Some(maker.request("push", [&maker.body(Known::Push)[..], b"\n"].concat()))
    }),
    case("body-spaced", "white space around the JSON, signed", |maker| {
        let body = [b" \r\n\t", &maker.body(Known::Push)[..], b" "].concat();
        Some(maker.request("push", body))
    }),
    case("body-not-ascii", "text of every kind", |maker| {
        Some(maker.request(
            "unknown",
            "{\"a\":\"é 日本 \u{1f600}\",\"b\":\"\\u00e9\\ud83d\\ude00\\u0000\"}",
        ))
    }),
    case(
        "body-big-numbers",
        "numbers that no type holds, in an event that is not known",
        |maker| Some(maker.request("unknown", r#"{"a":1e400,"b":123456789012345678901234567890}"#)),
    ),
    case("body-deep", "a value nested 100,000 deep, in an event that is not known", |maker| {
        const DEPTH: usize = 100_000;
        let body = format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH));
        (body.len() <= maker.limit).then(|| maker.request("unknown", body))
    }),
    case("body-deep-field", "a deep value in a field that nobody reads", |maker| {
        const DEPTH: usize = 10_000;
        let push = String::from_utf8(maker.body(Known::Push)).ok()?;
        let deep = format!(r#"{{"deep":{}{},"#, "[".repeat(DEPTH), "]".repeat(DEPTH));
        let body = push.replacen('{', &deep, 1);
        (body.len() <= maker.limit).then(|| maker.request("push", body))
    }),
    case("body-largest", "a body of exactly the limit", |maker| {
        const LARGEST: usize = 64 << 20;
        let body = maker.body(Known::Push);
        let room = maker.limit.checked_sub(body.len())?;
        (maker.limit <= LARGEST).then(|| maker.request("push", [body, vec![b' '; room]].concat()))
    }),
];
