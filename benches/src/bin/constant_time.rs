//! One case of `.ci/constant-time`: verifies one delivery a hundred times while callgrind counts its instructions.

use std::{env, hint::black_box};

use bytes::Bytes;
use pierre_webhook_core::{
    DeliveryHeaders, EVENT_HEADER, Error, SIGNATURE_HEADER, Secret, Verifier,
};

fn main() {
    let case = env::args().nth(1).expect("a case");
    let secrets = ["first", "second", "third"].map(|text| Secret::new(text).expect("a secret"));
    let [first, second, third] = secrets.clone();
    let verifier = Verifier::new(first).or_secret(second).or_secret(third).any_age();
    let body = [b'1'; 292];
    // The index of the secret that matches, or of the MAC's wrong byte.
    let signed = |index: usize| secrets[index].sign(1, &body);
    let wrong = |byte: usize| {
        let mut signature = signed(0).into_bytes();
        let digit = &mut signature["t=1,sha256=".len() + 2 * byte];
        *digit = if *digit == b'0' { b'1' } else { b'0' };
        String::from_utf8(signature).expect("ASCII")
    };
    // Three values, one of them right.
    let among = |index: usize| {
        let mut values = [0, 16, 31].map(wrong);
        values[index] = signed(0);
        values.map(|value| value.replacen("t=1,", "", 1)).join(",") + ",t=1"
    };
    let (how, nth) = case.rsplit_once('-').expect("a case");
    let nth: usize = nth.parse().expect("a number");
    let (signature, expected) = match how {
        "wrong" => (wrong(nth), Err(Error::InvalidSignature)),
        "secret" | "streamed-secret" => (signed(nth), Ok(1)),
        "value" | "streamed-value" => (among(nth), Ok(1)),
        _ => panic!("no such case"),
    };
    let counted = if how.starts_with("streamed") { counted_streamed } else { counted };
    let body = Bytes::copy_from_slice(&body);
    for _ in 0..100 {
        assert!(counted(&verifier, &signature, &body) == expected);
    }
}

/// The function that callgrind counts. (The start of the process varies by a few instructions from run to run.)
#[inline(never)]
fn counted(verifier: &Verifier, signature: &str, body: &Bytes) -> Result<u64, Error> {
    verifier.verify_signature(black_box(signature), black_box(body))
}

/// The same for a streamed body.
#[inline(never)]
fn counted_streamed(verifier: &Verifier, signature: &str, body: &Bytes) -> Result<u64, Error> {
    let headers = [(SIGNATURE_HEADER, black_box(signature)), (EVENT_HEADER, "ping")];
    let mut pending = verifier.begin(&DeliveryHeaders::parse(headers)?)?;
    pending.push(black_box(body.clone()))?;
    pending.finish().map(|delivery| delivery.signed_at)
}
