//! A delivery that is signed: the input of the targets `differential` and `http`.

use std::array;

use bytes::Bytes;
use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};
use pierre_webhook_core::{EmptySecret, Secret, Verifier};

use crate::{
    chunks::Chunks,
    fields::{FieldWriter, Fields},
    menu,
    oracle::{self, Accepted, Settings},
    pairs::{self, Pair},
    time,
};

/// Settings, headers and a body. The menu of the headers' values ends in the timestamp and the MACs of the
/// body under each secret, so that most deliveries are signed, whatever was mutated.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    pub settings: Settings,
    pub timestamp: Vec<u8>,
    pub chunks: Chunks,
    pub headers: Vec<Pair>,
    pub body: Vec<u8>,
}

impl Delivery {
    pub(crate) fn read(mut fields: Fields<'_>) -> Self {
        let [now, max_age, tolerance, limit, until] = array::from_fn(|_| fields.field());
        let timestamp = fields.field().text();
        let chunks = Chunks { sizes: fields.field().text() };
        let mut secrets = Vec::new();
        loop {
            let secret = fields.field();
            if secret.is_empty() {
                break;
            }
            secrets.push(Accepted { secret: secret.text(), until: None });
        }
        // Numbers and MACs are made of the body, which comes last: its field is read ahead.
        let mut headers = fields.clone();
        pairs::read(&mut fields, |_| Vec::new());
        let body = fields.last().expand(menu::JSON);
        let numbers = numbers(&timestamp, &body);
        let values = values(&timestamp, &secrets, &body);
        let headers = pairs::read(&mut headers, |value| value.expand(&values));

        let [now, max_age, tolerance, limit, until] =
            [now, max_age, tolerance, limit, until].map(|field| field.expand(&numbers));
        // The current one, which is the first, has no end.
        if let Some(last) = secrets.iter_mut().skip(1).last() {
            last.until = time::parse(&until);
        }
        let settings = Settings {
            secrets,
            now: time::parse(&now).unwrap_or(1_790_000_000 * time::SECOND),
            max_age: match &*max_age {
                b"any" => None,
                text => Some(time::parse_span(text).unwrap_or(300 * time::SECOND)),
            },
            tolerance: time::parse_span(&tolerance).unwrap_or(60 * time::SECOND),
            limit: str::from_utf8(&limit)
                .ok()
                .and_then(|text| text.parse().ok())
                .unwrap_or(1 << 20),
        };
        Self { settings, timestamp, chunks, headers, body }
    }

    pub(crate) fn write(&self, mut writer: FieldWriter) -> Vec<u8> {
        let settings = &self.settings;
        let until = settings.secrets.last().and_then(|secret| secret.until);
        let numbers = numbers(&self.timestamp, &self.body);
        for number in [
            time::format(settings.now),
            settings.max_age.map_or("any".into(), time::format),
            time::format(settings.tolerance),
            settings.limit.to_string(),
            until.map(time::format).unwrap_or_default(),
        ] {
            writer.field(number.as_bytes(), &numbers);
        }
        writer.text(&self.timestamp);
        writer.text(&self.chunks.sizes);
        for accepted in &settings.secrets {
            writer.text(&accepted.secret);
        }
        writer.text("");
        let values = values(&self.timestamp, &settings.secrets, &self.body);
        pairs::write(&self.headers, &values, &mut writer);
        writer.last(&self.body, menu::JSON);
        writer.into_input()
    }

    pub fn to_input(&self) -> Vec<u8> {
        self.write(FieldWriter::default())
    }

    /// Core's verifier with these settings, or the first secret's refusal.
    ///
    /// # Errors
    ///
    /// Where a secret is refused.
    pub fn verifier(&self) -> std::result::Result<Verifier, EmptySecret> {
        let settings = &self.settings;
        let mut secrets = settings.secrets.iter();
        let current = secrets.next().map(|first| &*first.secret).unwrap_or_default();
        let now = time::instant(settings.now);
        let mut verifier = Verifier::new(Secret::new(current)?)
            .clock(move || now)
            .future_tolerance(time::span(settings.tolerance))
            .body_limit(settings.limit);
        for accepted in secrets {
            let secret = Secret::new(&accepted.secret)?;
            verifier = match accepted.until {
                Some(until) => verifier.or_secret_until(secret, time::instant(until)),
                None => verifier.or_secret(secret),
            };
        }
        Ok(match settings.max_age {
            Some(max_age) => verifier.max_age(time::span(max_age)),
            None => verifier.any_age(),
        })
    }

    pub fn body(&self) -> Bytes {
        Bytes::copy_from_slice(&self.body)
    }
}

impl<'a> Arbitrary<'a> for Delivery {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self::read(Fields::new(u.bytes(u.len())?)))
    }
}

/// The menu of the settings: the numbers at which an answer changes.
fn numbers(timestamp: &[u8], body: &[u8]) -> Vec<Vec<u8>> {
    let mut menu = vec![timestamp.to_vec()];
    for number in [body.len(), body.len() + 1, body.len().saturating_sub(1), 0, usize::MAX] {
        menu.push(number.to_string().into());
    }
    menu.push(b"any".into());
    menu
}

/// The menu of the headers' values.
fn values(timestamp: &[u8], secrets: &[Accepted], body: &[u8]) -> Vec<Vec<u8>> {
    let mut menu: Vec<Vec<u8>> = menu::VALUES.iter().map(|piece| piece.as_bytes().into()).collect();
    menu.extend(numbers(timestamp, body));
    // More would cost time and tell nothing new.
    for accepted in secrets.iter().take(4) {
        let mac = oracle::mac(&accepted.secret, &[timestamp, b".", body].concat());
        let digits = oracle::hex(&mac);
        menu.push(digits.to_uppercase().into());
        menu.push(digits.into());
    }
    menu
}
