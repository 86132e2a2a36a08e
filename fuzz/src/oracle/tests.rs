//! The oracle, held to the delivery table.

use super::*;
use crate::vectors::{Expected, Vector, deliveries};

fn answer(vector: &Vector) -> Result<(String, u64), BTreeSet<String>> {
    let accepted = |secret: &String| Accepted { secret: secret.as_bytes().to_vec(), until: None };
    let settings = Settings {
        secrets: vector.secrets.iter().map(accepted).collect(),
        now: i128::from(vector.now) * SECOND,
        end: i128::from(vector.now) * SECOND,
        max_age: vector.max_age.map(|seconds| i128::from(seconds) * SECOND),
        tolerance: 60 * SECOND,
        limit: 1 << 20,
    };
    let headers =
        vector.headers.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.clone()));
    let authentic = Head::read(&Vec::from_iter(headers)).and_then(|head| {
        settings.check_head(&head)?;
        settings.authenticate(&head.signature, &vector.body)?;
        Ok(head)
    });
    let head = authentic.map_err(|rejection| BTreeSet::from([rejection]))?;
    let [verdict] = read([&head.event_type], &vector.body);
    match verdict.accepted {
        Some(_) => Ok((head.event_type, head.signature.timestamp)),
        None => Err(verdict.rejections),
    }
}

#[test]
fn the_oracle_gives_every_delivery_its_answer() {
    for vector in deliveries() {
        let expected = match &vector.expected {
            Expected::Ok { event, timestamp } => Ok((event.clone(), *timestamp)),
            Expected::Errors(texts) => Err(texts.iter().cloned().collect()),
        };
        assert_eq!(answer(&vector), expected, "{}", vector.name);
    }
}
