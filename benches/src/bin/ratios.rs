//! `cargo run --release --bin ratios`: the cost of verification, as a ratio to the raw SHA-256 of the same number of
//! blocks. Use `--profile fat` instead of `--release` for link-time optimization.

use std::{env, hint::black_box};

use bytes::Bytes;
use pierre_webhook_benches::{
    measure::{Case, Figure, measure},
    rivals::{Ring, Standard, by_hand, signature_by_hand},
    sample::{Sample, verifier},
};
use pierre_webhook_core::{Delivery, DeliveryHeaders, Error, Verifier};
use sha2::{Digest, Sha256};

const SIZES: [usize; 4] = [292, 4 << 10, 64 << 10, 1 << 20];

/// The cases that have a goal, with the goals at 292 bytes and at 64 KiB.
const GOALS: [(&str, f64, f64); 5] = [
    ("verify_signature", 1.6, 1.03),
    ("verify, event typed", 4.2, 1.4),
    ("begin, push, finish", 4.4, 1.45),
    ("refusal by headers", 0.5, 0.01),
    ("refusal by MAC", 1.7, 1.03),
];

fn main() {
    let rounds = if env::args().any(|argument| argument == "--quick") { 21 } else { 201 };
    let mut missed = 0;
    for size in SIZES {
        missed += print_size(size, rounds);
    }
    println!("\n{missed} goals missed");
}

fn print_size(size: usize, rounds: usize) -> usize {
    let sample = Sample::of(size);
    let raw = vec![0x5a; sample.blocks() * 64 - 9];
    let [one, three] = [1, 3].map(verifier);
    let ring = Ring::new();
    let standard = Standard::new(&sample);
    assert!(ring.verify(&sample) && standard.verify(&sample.body));
    assert!(standard.verify_by_svix(&sample.body) && by_hand(&sample.good, &sample.body).is_some());

    let body = &sample.body;
    let mut cases = vec![
        Case::new("SHA-256, the limit", || Sha256::digest(black_box(&raw))),
        Case::new("verify_signature", || one.verify_signature(&sample.signature, body)),
        Case::new("verify, event typed", || whole(&one, &sample.good, body)),
        Case::new("begin, push, finish", || streamed(&one, &sample.good, body, usize::MAX)),
        Case::new("refusal by headers", || {
            DeliveryHeaders::parse(black_box(&sample.stale)).and_then(|headers| one.begin(&headers))
        }),
        Case::new("refusal by MAC", || one.verify_signature(&sample.wrong_signature, body)),
        Case::new("refusal by MAC, from headers", || whole(&one, &sample.wrong, body)),
        Case::new("in chunks of 1.4 KiB", || streamed(&one, &sample.good, body, 1434)),
        Case::new("verify_signature, 3 secrets", || {
            three.verify_signature(&sample.signature, body)
        }),
        Case::new("verify, 3 secrets", || whole(&three, &sample.good, body)),
        Case::new("begin, push, finish, 3 secrets", || {
            streamed(&three, &sample.good, body, usize::MAX)
        }),
        Case::new("by hand, signature", || signature_by_hand(black_box(&sample.good), body)),
        Case::new("by hand, with JSON value", || by_hand(black_box(&sample.good), body)),
        Case::new("ring, MAC alone", || ring.verify(black_box(&sample))),
        Case::new("standardwebhooks", || standard.verify(black_box(body))),
        Case::new("svix", || standard.verify_by_svix(black_box(body))),
    ];
    let figures = measure(&mut cases, rounds);
    let limit = figures[0].nanoseconds;
    println!("\n{size} bytes, {}, {} blocks", sample.event_type, sample.blocks());
    println!("{:<32}{:>12}{:>10}{:>8}{:>13}", "", "ns", "ratio", "goal", "allocations");
    let mut missed = 0;
    for (case, figure) in cases.iter().zip(&figures) {
        let ratio = figure.nanoseconds / limit;
        let goal = goal(case.name, size);
        missed += usize::from(goal.is_some_and(|goal| ratio > goal));
        print_row(case.name, figure, ratio, goal);
    }
    let nanoseconds = |name: &str| {
        let index = cases.iter().position(|case| case.name == name).expect("a case");
        figures[index].nanoseconds
    };
    let ratio = nanoseconds("verify_signature") / nanoseconds("standardwebhooks");
    let goal = match size {
        292 => Some(0.17),
        65536 => Some(0.185),
        _ => None,
    };
    missed += usize::from(goal.is_some_and(|goal| ratio > goal));
    println!("{:<32}{:>12}{ratio:>10.3}{:>8}", "verify_signature/standardwebhooks", "", text(goal));
    missed
}

fn print_row(name: &str, figure: &Figure, ratio: f64, goal: Option<f64>) {
    println!(
        "{name:<32}{:>12.1}{ratio:>10.3}{:>8}{:>13}",
        figure.nanoseconds,
        text(goal),
        figure.allocations
    );
}

fn text(goal: Option<f64>) -> String {
    goal.map(|goal| goal.to_string()).unwrap_or_default()
}

fn goal(name: &str, size: usize) -> Option<f64> {
    let (_, small, large) = GOALS.into_iter().find(|(goal, ..)| *goal == name)?;
    match size {
        292 => Some(small),
        65536 => Some(large),
        _ => None,
    }
}

fn whole(verifier: &Verifier, headers: &http::HeaderMap, body: &Bytes) -> Result<Delivery, Error> {
    verifier.verify(&DeliveryHeaders::parse(black_box(headers))?, body.clone())
}

fn streamed(
    verifier: &Verifier,
    headers: &http::HeaderMap,
    body: &Bytes,
    chunk: usize,
) -> Result<Delivery, Error> {
    let mut pending = verifier.begin(&DeliveryHeaders::parse(black_box(headers))?)?;
    let mut rest = body.clone();
    while !rest.is_empty() {
        pending.push(rest.split_to(chunk.min(rest.len())))?;
    }
    pending.finish()
}
