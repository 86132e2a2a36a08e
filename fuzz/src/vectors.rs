//! The deliveries of `tests/vectors/deliveries.json`.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;

use crate::{
    chunks::Chunks,
    delivery::Delivery,
    oracle::{Accepted, Settings},
    time::SECOND,
};

/// A delivery, and the answer that the table requires.
pub struct Vector {
    pub name: String,
    pub delivery: Delivery,
    pub expected: Expected,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Expected {
    Ok {
        event: String,
        timestamp: u64,
    },
    /// One of these texts.
    Errors(Vec<String>),
}

/// All of the table.
pub fn deliveries() -> Vec<Vector> {
    #[derive(Deserialize)]
    struct Row {
        name: String,
        secrets: Vec<String>,
        now: u32,
        max_age: Option<u32>,
        signature_headers: Vec<String>,
        event_headers: Vec<String>,
        body: Option<String>,
        body_repeat: Option<Repeat>,
        expected: Expected,
    }
    #[derive(Deserialize)]
    struct Repeat {
        prefix: String,
        byte_text: String,
        count: usize,
        suffix: String,
    }

    let decode = |text: String| STANDARD.decode(text).expect("base64");
    let rows: Vec<Row> = serde_json::from_str(include_str!("../../tests/vectors/deliveries.json"))
        .expect("the table");
    rows.into_iter()
        .map(|row| {
            let lines = |name: &str, values: Vec<String>| -> Vec<_> {
                values.into_iter().map(|value| (name.as_bytes().to_vec(), decode(value))).collect()
            };
            let signatures = lines("x-pierre-signature", row.signature_headers);
            let accepted = |secret: String| Accepted { secret: secret.into_bytes(), until: None };
            let delivery = Delivery {
                settings: Settings {
                    secrets: row.secrets.into_iter().map(accepted).collect(),
                    now: i128::from(row.now) * SECOND,
                    max_age: row.max_age.map(|seconds| i128::from(seconds) * SECOND),
                    tolerance: 60 * SECOND,
                    limit: 1 << 20,
                },
                timestamp: timestamp(&signatures).unwrap_or_else(|| b"1789999995".to_vec()),
                chunks: Chunks::default(),
                headers: [signatures, lines("x-pierre-event", row.event_headers)].concat(),
                body: match (row.body, row.body_repeat) {
                    (Some(body), None) => decode(body),
                    (None, Some(Repeat { prefix, byte_text, count, suffix })) => {
                        format!("{prefix}{}{suffix}", byte_text.repeat(count)).into()
                    }
                    _ => panic!("{}: one of body and body_repeat", row.name),
                },
            };
            Vector { name: row.name, delivery, expected: row.expected }
        })
        .collect()
}

/// What stands behind the first `t=`.
fn timestamp(signatures: &[(Vec<u8>, Vec<u8>)]) -> Option<Vec<u8>> {
    let (_, value) = signatures.first()?;
    let mut elements = value.split(|byte| *byte == b',');
    elements.find_map(|element| element.trim_ascii().strip_prefix(b"t=").map(Vec::from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{self, Head};

    fn refusals(delivery: &Delivery) -> Result<(String, u64), Vec<String>> {
        let settings = &delivery.settings;
        let authentic = Head::read(&delivery.headers).and_then(|head| {
            settings.check_age(head.signature.timestamp)?;
            settings.check_declared(&head.declared)?;
            oracle::authenticate(settings, &head.signature, &delivery.body)?;
            Ok(head)
        });
        let head = authentic.map_err(|refusal| vec![refusal])?;
        let verdict = oracle::read(&head.event_type, &delivery.body);
        match verdict.accepted {
            Some(_) => Ok((head.event_type, head.signature.timestamp)),
            None => Err(verdict.refusals.into_iter().collect()),
        }
    }

    #[test]
    fn the_oracle_gives_every_delivery_its_answer() {
        for Vector { name, delivery, expected } in deliveries() {
            match (refusals(&delivery), expected) {
                (Ok(answer), Expected::Ok { event, timestamp }) => {
                    assert_eq!(answer, (event, timestamp), "{name}");
                }
                (Err(mut texts), Expected::Errors(mut expected)) => {
                    texts.sort();
                    expected.sort();
                    assert_eq!(texts, expected, "{name}");
                }
                (answer, expected) => panic!("{name}: {answer:?}, expected {expected:?}"),
            }
        }
    }
}
