//! The delivery table through pierre-webhook-core: whole bodies, and bodies in chunks.

use bytes::Bytes;
use pierre_webhook_core::{Delivery, DeliveryHeaders, Error};
use pierre_webhook_tests::vectors::{Vector, answer, deliveries};

fn every_delivery_gets_its_answer(check: impl Fn(&Vector) -> Result<Delivery, Error>) {
    let failures: Vec<_> =
        deliveries().iter().filter_map(|vector| vector.judge(&answer(check(vector)))).collect();
    assert!(failures.is_empty(), "{} wrong answers:\n{}", failures.len(), failures.join("\n"));
}

fn headers(vector: &Vector) -> Result<DeliveryHeaders<'_>, Error> {
    DeliveryHeaders::parse(vector.headers.iter().map(|(name, value)| (name, value)))
}

#[test]
fn the_table_has_172_deliveries() {
    assert_eq!(deliveries().len(), 172);
}

#[test]
fn every_delivery_of_the_table_gets_its_answer_as_a_whole_body() {
    every_delivery_gets_its_answer(|vector| {
        vector.verifier().verify(&headers(vector)?, vector.body.clone())
    });
}

#[test]
fn every_delivery_of_the_table_gets_its_answer_in_chunks() {
    for size in [1, 7, 64] {
        every_delivery_gets_its_answer(|vector| {
            let mut pending = vector.verifier().begin(&headers(vector)?)?;
            for chunk in vector.body.chunks(size) {
                pending.push(Bytes::copy_from_slice(chunk))?;
            }
            pending.finish()
        });
    }
}
