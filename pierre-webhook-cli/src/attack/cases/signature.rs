//! Missing, malformed and forged signatures; missing and malformed event types.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use pierre_webhook_core::{EVENT_HEADER, SIGNATURE_HEADER};

use crate::{
    attack::{
        case::Case,
        raw_request::{RawRequest, signature},
        request_maker::RequestMaker,
    },
    hex,
    mac::mac,
    payload::KnownEvent,
};

pub(super) const CASES: &[Case] = &[
    Case::new("signature-missing", "no signature header", |maker| {
        Some(maker.good().without_header(SIGNATURE_HEADER))
    }),
    Case::new("signature-empty", "a signature header without a value", |maker| {
        Some(maker.good().with_header(SIGNATURE_HEADER, ""))
    }),
    Case::new("signature-lines-twice", "the same signature header twice", |maker| {
        let good = maker.good();
        let line = good.header(SIGNATURE_HEADER);
        Some(good.with_line(SIGNATURE_HEADER, line))
    }),
    Case::new(
        "signature-lines-forged-first",
        "a forged signature header before the correct one",
        |maker| lines(maker, true),
    ),
    Case::new(
        "signature-lines-forged-last",
        "a forged signature header after the correct one",
        |maker| lines(maker, false),
    ),
    Case::new("signature-not-ascii", "a signature header with a byte that is not ASCII", |maker| {
        Some(maker.with_signature(|t, hex| format!("t={t},sha256={hex},é")))
    }),
    Case::new("event-missing", "no event header", |maker| {
        Some(maker.good().without_header(EVENT_HEADER))
    }),
    Case::new("event-empty", "an event header without a value", |maker| {
        Some(maker.good().with_header(EVENT_HEADER, ""))
    }),
    Case::new("event-lines-twice", "two event headers", |maker| {
        Some(maker.good().with_line(EVENT_HEADER, "repo.sync.failed"))
    }),
    Case::new("event-list", "two event types, as a proxy joins two headers", |maker| {
        Some(maker.good().with_header(EVENT_HEADER, "push, push"))
    }),
    Case::new("event-space", "a space in the event type", |maker| Some(maker.request("a b", "{}"))),
    Case::new("event-too-long", "an event type of 129 characters", |maker| {
        Some(maker.request(&"x".repeat(129), "{}"))
    }),
    Case::new("event-not-ascii", "an event type that is not ASCII", |maker| {
        Some(maker.request("é", "{}"))
    }),
    Case::new("format-nonsense", "a signature header that is not a list", |maker| {
        Some(maker.with_signature(|_, _| "nonsense".to_owned()))
    }),
    Case::new("format-no-timestamp", "no t", |maker| {
        Some(maker.with_signature(|_, hex| format!("sha256={hex}")))
    }),
    Case::new("format-no-sha256", "no sha256", |maker| {
        Some(maker.with_signature(|t, _| format!("t={t}")))
    }),
    Case::new("format-empty-timestamp", "an empty t", |maker| {
        Some(maker.with_signature(|_, hex| format!("t=,sha256={hex}")))
    }),
    Case::new("format-empty-sha256", "an empty sha256", |maker| {
        Some(maker.with_signature(|t, _| format!("t={t},sha256=")))
    }),
    Case::new("format-two-timestamps", "t twice", |maker| {
        Some(maker.with_signature(|t, hex| format!("t={t},t={t},sha256={hex}")))
    }),
    Case::new("format-old-and-new-timestamp", "an old t before the signed one", |maker| {
        Some(maker.with_signature(|t, hex| format!("t=1,t={t},sha256={hex}")))
    }),
    Case::new("format-nine-sha256", "nine sha256", |maker| {
        Some(maker.with_signature(|t, hex| format!("t={t}{}", format!(",sha256={hex}").repeat(9))))
    }),
    Case::new("format-semicolons", "semicolons instead of commas", |maker| {
        Some(maker.with_signature(|t, hex| format!("t={t};sha256={hex}")))
    }),
    Case::new("format-key-case", "keys in upper case", |maker| {
        Some(maker.with_signature(|t, hex| format!("T={t},SHA256={hex}")))
    }),
    Case::new("format-space-in-key", "a space before the =", |maker| {
        Some(maker.with_signature(|t, hex| format!("t ={t},sha256={hex}")))
    }),
    Case::new("wrong-secret", "signed with another secret", |maker| {
        Some(maker.with_secret(b"whsec_another_secret_altogether"))
    }),
    Case::new("wrong-secret-newline", "signed with the secret plus a newline", |maker| {
        Some(maker.with_secret(&[maker.secret(), b"\n"].concat()))
    }),
    Case::new("wrong-secret-empty", "signed with an empty secret", |maker| {
        Some(maker.with_secret(b""))
    }),
    Case::new("wrong-zeros", "zeros instead of the MAC", |maker| {
        Some(maker.with_signature(|t, _| signature(t, &"0".repeat(64))))
    }),
    Case::new("wrong-first-digit", "a wrong first digit", |maker| Some(digit(maker, 0))),
    Case::new("wrong-last-digit", "a wrong last digit", |maker| Some(digit(maker, 63))),
    Case::new("wrong-63-digits", "the last digit missing", |maker| {
        Some(maker.with_signature(|t, hex| signature(t, hex.get(..63).unwrap_or_default())))
    }),
    Case::new("wrong-32-digits", "half the digits", |maker| {
        Some(maker.with_signature(|t, hex| signature(t, hex.get(..32).unwrap_or_default())))
    }),
    Case::new("wrong-65-digits", "an extra digit", |maker| {
        Some(maker.with_signature(|t, hex| signature(t, &format!("{hex}0"))))
    }),
    Case::new("wrong-0x", "digits prefixed with 0x", |maker| {
        Some(maker.with_signature(|t, hex| signature(t, &format!("0x{hex}"))))
    }),
    Case::new("wrong-quoted", "quoted digits", |maker| {
        Some(maker.with_signature(|t, hex| format!("t={t},sha256=\"{hex}\"")))
    }),
    Case::new("wrong-base64", "the hex digits in base64", |maker| {
        Some(maker.with_signature(|t, hex| signature(t, &STANDARD.encode(hex))))
    }),
    Case::new("wrong-body", "a body changed after signing", |maker| {
        let good = maker.good();
        let body =
            String::from_utf8_lossy(&good.body).replace("refs/heads/main", "refs/heads/mine");
        Some(good.with_body(body))
    }),
    Case::new("wrong-body-newline", "a newline added after signing", |maker| {
        let good = maker.good();
        let body = [&good.body[..], b"\n"].concat();
        Some(good.with_body(body))
    }),
    Case::new("wrong-body-empty", "a body removed after signing", |maker| {
        Some(maker.good().with_body(""))
    }),
    Case::new("wrong-timestamp", "a timestamp changed after signing", |maker| {
        let later = maker.now(-1);
        Some(maker.with_signature(|_, hex| signature(&later, hex)))
    }),
    Case::new("wrong-timestamp-unsigned", "a MAC of the body alone", |maker| {
        let body = maker.body(KnownEvent::Push);
        let digits = hex::encode(&mac(maker.secret(), b"", &body)?);
        let value = signature(&maker.now(0), &digits);
        Some(maker.request("push", body).with_header(SIGNATURE_HEADER, value))
    }),
];

/// Sends the correct signature header and a forged one.
fn lines(maker: &RequestMaker, is_forged_first: bool) -> Option<RawRequest> {
    let good = maker.good();
    let correct = good.header(SIGNATURE_HEADER);
    let forged = signature(&maker.now(0), &"0".repeat(64)).into_bytes();
    let (first, second) = if is_forged_first { (forged, correct) } else { (correct, forged) };
    Some(good.with_header(SIGNATURE_HEADER, first).with_line(SIGNATURE_HEADER, second))
}

/// Changes one of the correct digits.
fn digit(maker: &RequestMaker, index: usize) -> RawRequest {
    maker.with_signature(|t, hex| {
        let changed = hex.char_indices().map(|(at, digit)| match (at == index, digit) {
            (true, '0') => '1',
            (true, _) => '0',
            (false, digit) => digit,
        });
        signature(t, &changed.collect::<String>())
    })
}
