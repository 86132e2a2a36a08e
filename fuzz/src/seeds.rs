//! The inputs with which fuzzing begins: the deliveries of the table, as each target reads them.

use std::collections::BTreeMap;

use crate::{
    chunks::Chunks,
    delivery::Delivery,
    exchange::Exchange,
    pairs::{Pair, Pairs},
    signed_body::SignedBody,
    variants::variants,
    vectors::{self, Expected, Vector},
};

/// libFuzzer makes no longer inputs, as long as no seed is longer.
const LONGEST: usize = 4096;

/// A delivery of the table that is accepted.
const ACCEPTED: &str = "push-documented";

const CHUNKS: [&str; 4] = ["", "1", "0a12", "@@@@"];
const LOOK_UPS: [&str; 5] = ["", "P", "PP", "F", "PN"];
const INNER: [&str; 5] = ["", "P", "O", "RPO", "F"];
const FRAMES: [&str; 9] = ["", "P", "0P1aTzP", "AMZ", "zT", "aF", "aL", "aPE", "aS"];

/// The seeds of the targets, by their path in `corpus/`.
pub fn seeds() -> BTreeMap<String, Vec<u8>> {
    let mut seeds = BTreeMap::new();
    let mut kinds = Vec::new();
    for (index, (name, delivery, kind)) in deliveries().into_iter().enumerate() {
        let chunks = Chunks { sizes: CHUNKS[index % CHUNKS.len()].into() };
        let signed_body = SignedBody { chunks: chunks.clone(), body: delivery.body.clone() };
        let pairs = Pairs { pairs: delivery.headers.iter().map(without_mac).collect() };
        seeds.insert(format!("body/{name}"), signed_body.to_input());
        seeds.insert(format!("headers/{name}"), pairs.to_input());
        // Through the service, a delivery of each kind is enough.
        if !kinds.contains(&kind) {
            let exchange = exchange(index, delivery.clone());
            seeds.insert(format!("http/{name}"), exchange.to_input());
            kinds.push(kind);
        }
        if name == ACCEPTED {
            for index in 0..FRAMES.len() * LOOK_UPS.len() {
                let exchange = exchange(index, delivery.clone());
                seeds.insert(format!("http/{name}-{index}"), exchange.to_input());
            }
        }
        seeds.insert(format!("differential/{name}"), Delivery { chunks, ..delivery }.to_input());
    }
    seeds.retain(|_, input| input.len() <= LONGEST);
    // Many deliveries differ in the headers alone, or in the body.
    let mut once = Vec::new();
    seeds.retain(|path, input| {
        let target = path.split('/').next().map(str::to_owned);
        let is_new = !once.contains(&(target.clone(), input.clone()));
        once.push((target, input.clone()));
        is_new
    });
    seeds
}

/// Those of the table and their variants, with a name and the answer.
fn deliveries() -> Vec<(String, Delivery, Option<Expected>)> {
    let mut deliveries = Vec::new();
    for Vector { name, delivery, expected } in vectors::deliveries() {
        if name == ACCEPTED {
            for (index, variant) in variants(&delivery).into_iter().enumerate() {
                deliveries.push((format!("variant-{index}"), variant, None));
            }
        }
        if delivery.body.len() <= 4 * LONGEST {
            deliveries.push((name, delivery, Some(expected)));
        }
    }
    deliveries
}

/// What only parses headers knows no MAC from another.
fn without_mac((name, value): &Pair) -> Pair {
    let elements = value.split(|byte| *byte == b',').map(|element| match element {
        [b's', b'h', b'a', b'2', b'5', b'6', b'=', digits @ ..] if digits.len() == 64 => {
            [b"sha256=", &[b'0'; 64][..]].concat()
        }
        other => other.to_vec(),
    });
    (name.clone(), elements.collect::<Vec<_>>().join(&b','))
}

fn exchange(index: usize, delivery: Delivery) -> Exchange {
    Exchange {
        look_up: LOOK_UPS[index % LOOK_UPS.len()].into(),
        inner: INNER[index / LOOK_UPS.len() % INNER.len()].into(),
        frames: FRAMES[index % FRAMES.len()].into(),
        delivery,
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use libfuzzer_sys::arbitrary::{Arbitrary, Unstructured};

    use super::*;

    #[test]
    fn the_corpus_has_the_seeds() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
        for (path, input) in seeds() {
            let committed = fs::read(corpus.join(&path));
            assert!(committed.is_ok_and(|committed| committed == input), "{path}");
        }
    }

    #[test]
    fn a_target_reads_what_is_written() {
        fn read<'a, T: Arbitrary<'a>>(input: &'a [u8]) -> T {
            T::arbitrary(&mut Unstructured::new(input)).unwrap()
        }
        for (name, delivery, _) in deliveries() {
            assert!(read::<Delivery>(&delivery.to_input()) == delivery, "{name}");
            let signed_body = SignedBody {
                chunks: Chunks { sizes: CHUNKS[3].into() },
                body: delivery.body.clone(),
            };
            assert!(read::<SignedBody>(&signed_body.to_input()) == signed_body, "{name}");
            let pairs = Pairs { pairs: delivery.headers.clone() };
            assert!(read::<Pairs>(&pairs.to_input()) == pairs, "{name}");
            let exchange = exchange(7, delivery);
            // The one header that no server lets through.
            if name != "hdr-del-byte" {
                assert!(read::<Exchange>(&exchange.to_input()) == exchange, "{name}");
            }
        }
    }
}
