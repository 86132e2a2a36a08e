//! One case of `.ci/instructions`: runs one part of a verification a hundred times while callgrind counts its
//! instructions. Their number doesn't depend on other load on the machine.

use std::{env, hint::black_box};

use pierre_webhook_benches::sample::{Sample, verifier};
use pierre_webhook_core::{DeliveryHeaders, Event, Signature};

pub const RUNS: usize = 100;

fn main() {
    let case = env::args().nth(1).expect("a case");
    let sample = Sample::of(292);
    let verifier = verifier(1);
    let run: &dyn Fn() = match case.as_str() {
        "parse-signature" => &|| drop(black_box(Signature::parse(sample.signature.as_bytes()))),
        "parse-headers" => &|| drop(black_box(DeliveryHeaders::parse(&sample.good))),
        "refuse-by-headers" => &|| {
            let headers = DeliveryHeaders::parse(&sample.stale).expect("a delivery");
            drop(black_box(verifier.begin(&headers)));
        },
        "read-event" => &|| {
            let event = Event::from_json(sample.event_type, sample.body.clone());
            drop(black_box(event.expect("a push")));
        },
        // These two include the MAC, computed by the portable SHA-256.
        "verify-signature" => &|| {
            drop(black_box(verifier.verify_signature(&sample.signature, &sample.body)));
        },
        "verify" => &|| {
            let headers = DeliveryHeaders::parse(&sample.good).expect("a delivery");
            drop(black_box(verifier.verify(&headers, sample.body.clone())));
        },
        "begin-push-finish" => &|| {
            let headers = DeliveryHeaders::parse(&sample.good).expect("a delivery");
            let mut pending = verifier.begin(&headers).expect("a delivery");
            pending.push(sample.body.clone()).expect("a delivery");
            drop(black_box(pending.finish()));
        },
        _ => panic!("no such case"),
    };
    for _ in 0..RUNS {
        counted(run);
    }
}

#[inline(never)]
fn counted(run: &dyn Fn()) {
    black_box(run)();
}
