//! Signatures that are absent, malformed, or another's; events that are none.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use pierre_webhook_core::{EVENT_HEADER, SIGNATURE_HEADER};

use super::{Case, case};
use crate::{
    attack::maker::{Maker, Request, signature},
    send::Known,
};

pub(super) const CASES: &[Case] = &[
    case("signature-missing", "no signature header", |maker| {
        Some(maker.good().without_header(SIGNATURE_HEADER))
    }),
    case("signature-empty", "a signature header without a value", |maker| {
        Some(maker.good().with_header(SIGNATURE_HEADER, ""))
    }),
    case("signature-lines-twice", "the signature header in two equal lines", |maker| {
        let good = maker.good();
        let line = good.header(SIGNATURE_HEADER);
        Some(good.with_second(SIGNATURE_HEADER, line))
    }),
    case("signature-lines-forged-first", "a forged signature line before the right one", |maker| {
        lines(maker, true)
    }),
    case("signature-lines-forged-last", "a forged signature line behind the right one", |maker| {
        lines(maker, false)
    }),
    case("signature-not-ascii", "a signature header with a byte that is not ASCII", |maker| {
        Some(maker.with_signature(|t, hex| format!("t={t},sha256={hex},é")))
    }),
    case("event-missing", "no event header", |maker| {
        Some(maker.good().without_header(EVENT_HEADER))
    }),
    case("event-empty", "an event header without a value", |maker| {
        Some(maker.good().with_header(EVENT_HEADER, ""))
    }),
    case("event-lines-twice", "two event header lines", |maker| {
        Some(maker.good().with_second(EVENT_HEADER, "repo.sync.failed"))
    }),
    case("event-list", "two event types, as a proxy would join two lines", |maker| {
        Some(maker.good().with_header(EVENT_HEADER, "push, push"))
    }),
    case("event-space", "a space inside of the event type", |maker| {
        Some(maker.request("a b", "{}"))
    }),
    case("event-too-long", "an event type of 129 characters", |maker| {
        Some(maker.request(&"x".repeat(129), "{}"))
    }),
    case("event-not-ascii", "an event type that is not ASCII", |maker| {
        Some(maker.request("é", "{}"))
    }),
    case("format-nonsense", "a signature header that is no list", |maker| {
        Some(maker.with_signature(|_, _| "nonsense".to_owned()))
    }),
    case("format-no-timestamp", "no t", |maker| {
        Some(maker.with_signature(|_, hex| format!("sha256={hex}")))
    }),
    case("format-no-sha256", "no sha256", |maker| {
        Some(maker.with_signature(|t, _| format!("t={t}")))
    }),
    case("format-empty-timestamp", "an empty t", |maker| {
        Some(maker.with_signature(|_, hex| format!("t=,sha256={hex}")))
    }),
    case("format-empty-sha256", "an empty sha256", |maker| {
        Some(maker.with_signature(|t, _| format!("t={t},sha256=")))
    }),
    case("format-two-timestamps", "t twice", |maker| {
        Some(maker.with_signature(|t, hex| format!("t={t},t={t},sha256={hex}")))
    }),
    case("format-old-and-new-timestamp", "an old t beside the signed one", |maker| {
        Some(maker.with_signature(|t, hex| format!("t=1,t={t},sha256={hex}")))
    }),
    case("format-nine-sha256", "nine sha256", |maker| {
        Some(maker.with_signature(|t, hex| format!("t={t}{}", format!(",sha256={hex}").repeat(9))))
    }),
    case("format-semicolons", "semicolons for commas", |maker| {
        Some(maker.with_signature(|t, hex| format!("t={t};sha256={hex}")))
    }),
    case("format-key-case", "keys in upper case", |maker| {
        Some(maker.with_signature(|t, hex| format!("T={t},SHA256={hex}")))
    }),
    case("format-space-in-key", "a space before the =", |maker| {
        Some(maker.with_signature(|t, hex| format!("t ={t},sha256={hex}")))
    }),
    case("wrong-secret", "signed with another secret", |maker| {
        Some(maker.with_secret(b"whsec_another_secret_altogether"))
    }),
    case("wrong-secret-newline", "signed with the secret and a newline", |maker| {
        Some(maker.with_secret(&[maker.secret(), b"\n"].concat()))
    }),
    case("wrong-secret-empty", "signed with an empty secret", |maker| Some(maker.with_secret(b""))),
    case("wrong-zeros", "zeros for the MAC", |maker| {
        Some(maker.with_signature(|t, _| signature(t, &"0".repeat(64))))
    }),
    case("wrong-first-digit", "another first digit", |maker| Some(digit(maker, 0))),
    case("wrong-last-digit", "another last digit", |maker| Some(digit(maker, 63))),
    case("wrong-63-digits", "the last digit left out", |maker| {
        Some(maker.with_signature(|t, hex| signature(t, hex.get(..63).unwrap_or_default())))
    }),
    case("wrong-32-digits", "half of the digits", |maker| {
        Some(maker.with_signature(|t, hex| signature(t, hex.get(..32).unwrap_or_default())))
    }),
    case("wrong-65-digits", "a digit too many", |maker| {
        Some(maker.with_signature(|t, hex| signature(t, &format!("{hex}0"))))
    }),
    case("wrong-0x", "digits behind 0x", |maker| {
        Some(maker.with_signature(|t, hex| signature(t, &format!("0x{hex}"))))
    }),
    case("wrong-quoted", "digits in quotes", |maker| {
        Some(maker.with_signature(|t, hex| format!("t={t},sha256=\"{hex}\"")))
    }),
    case("wrong-base64", "the hex digits in base64", |maker| {
        Some(maker.with_signature(|t, hex| signature(t, &STANDARD.encode(hex))))
    }),
    case("wrong-body", "a body changed after it was signed", |maker| {
        let good = maker.good();
        let body =
            String::from_utf8_lossy(&good.body).replace("refs/heads/main", "refs/heads/mine");
        Some(good.with_body(body))
    }),
    case("wrong-body-newline", "a newline added after the body was signed", |maker| {
        let good = maker.good();
        let body = [&good.body[..], b"\n"].concat();
        Some(good.with_body(body))
    }),
    case("wrong-body-empty", "a body taken away after it was signed", |maker| {
        Some(maker.good().with_body(""))
    }),
    case("wrong-timestamp", "a timestamp changed after it was signed", |maker| {
        let later = maker.now(-1);
        Some(maker.with_signature(|_, hex| signature(&later, hex)))
    }),
    case("wrong-timestamp-unsigned", "a MAC of the body alone", |maker| {
        let body = maker.body(Known::Push);
        let digits = crate::mac::mac(maker.secret(), b"", &body)?;
        let digits: String = digits.iter().map(|byte| format!("{byte:02x}")).collect();
        let value = signature(&maker.now(0), &digits);
        Some(maker.request("push", body).with_header(SIGNATURE_HEADER, value))
    }),
];

/// The right signature line and a forged one.
fn lines(maker: &Maker, is_forged_first: bool) -> Option<Request> {
    let good = maker.good();
    let right = good.header(SIGNATURE_HEADER);
    let forged = signature(&maker.now(0), &"0".repeat(64)).into_bytes();
    let (first, second) = if is_forged_first { (forged, right) } else { (right, forged) };
    Some(good.with_header(SIGNATURE_HEADER, first).with_second(SIGNATURE_HEADER, second))
}

/// The right digits but for one.
fn digit(maker: &Maker, index: usize) -> Request {
    maker.with_signature(|t, hex| {
        let changed = hex.char_indices().map(|(at, digit)| match (at == index, digit) {
            (true, '0') => '1',
            (true, _) => '0',
            (false, digit) => digit,
        });
        signature(t, &changed.collect::<String>())
    })
}
