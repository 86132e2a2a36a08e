//! One case of `.ci/constant-time`: verifies one delivery often, so that callgrind counts its instructions.

use std::{env, hint::black_box};

use pierre_webhook_core::{Error, Secret, Verifier};

fn main() {
    let case = env::args().nth(1).expect("a case");
    let secrets = ["first", "second", "third"].map(|text| Secret::new(text).expect("a secret"));
    let [first, second, third] = secrets.clone();
    let verifier = Verifier::new(first).or_secret(second).or_secret(third).any_age();
    let body = [b'x'; 292];
    // The byte of the MAC that is wrong, or the secret that matches.
    let signed = |index: usize| secrets[index].sign(1, &body);
    let wrong = |byte: usize| {
        let mut signature = signed(0).into_bytes();
        let digit = &mut signature["t=1,sha256=".len() + 2 * byte];
        *digit = if *digit == b'0' { b'1' } else { b'0' };
        String::from_utf8(signature).expect("ASCII")
    };
    let (signature, expected) = match case.as_str() {
        "wrong-0" => (wrong(0), Err(Error::InvalidSignature)),
        "wrong-16" => (wrong(16), Err(Error::InvalidSignature)),
        "wrong-31" => (wrong(31), Err(Error::InvalidSignature)),
        "secret-0" => (signed(0), Ok(1)),
        "secret-1" => (signed(1), Ok(1)),
        "secret-2" => (signed(2), Ok(1)),
        _ => panic!("no such case"),
    };
    for _ in 0..100 {
        assert!(counted(&verifier, &signature, &body) == expected);
    }
}

/// What callgrind counts; the start of the process differs by a few instructions from run to run.
#[inline(never)]
fn counted(verifier: &Verifier, signature: &str, body: &[u8]) -> Result<u64, Error> {
    verifier.verify_signature(black_box(signature), black_box(body))
}
