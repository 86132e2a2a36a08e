//! `vectors/deliveries.json`: deliveries with their required answers.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use pierre_webhook_core::{Delivery, EVENT_HEADER, Error, SIGNATURE_HEADER, Secret, Verifier};
use serde::Deserialize;

/// A delivery, and the answer that it must get.
#[derive(Debug)]
pub struct Vector {
    pub name: String,
    pub secrets: Vec<String>,
    pub now: u64,
    pub max_age: Option<u64>,
    /// The header lines as sent, the signature's first.
    pub headers: Vec<(&'static str, Vec<u8>)>,
    pub body: Bytes,
    pub expected: Expected,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expected {
    Ok {
        event: String,
        timestamp: u64,
    },
    /// One of these texts.
    Errors(Vec<String>),
}

/// An answer in the form that every adapter can give: the event type and when it was signed, or the error text.
pub type Answer = Result<(String, u64), String>;

impl Vector {
    pub fn verifier(&self) -> Verifier {
        let now = UNIX_EPOCH + Duration::from_secs(self.now);
        self.verifier_at(move || now)
    }

    fn verifier_at(&self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Verifier {
        let mut secrets = self.secrets.iter().map(|secret| Secret::new(secret).expect("a secret"));
        let current = Verifier::new(secrets.next().expect("one secret")).clock(clock);
        let verifier = secrets.fold(current, Verifier::or_secret);
        match self.max_age {
            Some(seconds) => verifier.max_age(Duration::from_secs(seconds)),
            None => verifier.any_age(),
        }
    }

    /// Returns what is wrong with an answer, if anything.
    pub fn judge(&self, answer: &Answer) -> Option<String> {
        let is_right = match (&self.expected, answer) {
            (Expected::Ok { event, timestamp }, Ok(got)) => (event, timestamp) == (&got.0, &got.1),
            (Expected::Errors(texts), Err(text)) => texts.contains(text),
            _ => false,
        };
        (!is_right).then(|| format!("{}: expected {:?}, got {answer:?}", self.name, self.expected))
    }
}

/// Converts the result of a core function.
pub fn answer(result: Result<Delivery, Error>) -> Answer {
    result
        .map(|delivery| (delivery.event_type().to_owned(), delivery.signed_at))
        .map_err(|error| error.to_string())
}

/// Returns all deliveries of the table.
pub fn deliveries() -> Vec<Vector> {
    #[derive(Deserialize)]
    struct Row {
        name: String,
        secrets: Vec<String>,
        now: u64,
        max_age: Option<u64>,
        signature_headers: Vec<String>,
        event_headers: Vec<String>,
        body: Option<String>,
        body_base64: Option<String>,
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

    let rows: Vec<Row> =
        serde_json::from_str(include_str!("../vectors/deliveries.json")).expect("the table");
    rows.into_iter()
        .map(|row| {
            let lines = |name, values: Vec<String>| {
                values.into_iter().map(move |value| (name, value.into_bytes()))
            };
            Vector {
                headers: lines(SIGNATURE_HEADER, row.signature_headers)
                    .chain(lines(EVENT_HEADER, row.event_headers))
                    .collect(),
                body: match (row.body, row.body_base64, row.body_repeat) {
                    (Some(body), None, None) => body.into(),
                    (None, Some(body), None) => STANDARD.decode(body).expect("base64").into(),
                    (None, None, Some(Repeat { prefix, byte_text, count, suffix })) => {
                        format!("{prefix}{}{suffix}", byte_text.repeat(count)).into()
                    }
                    _ => panic!("{}: one of body, body_base64 and body_repeat", row.name),
                },
                name: row.name,
                secrets: row.secrets,
                now: row.now,
                max_age: row.max_age,
                expected: row.expected,
            }
        })
        .collect()
}
