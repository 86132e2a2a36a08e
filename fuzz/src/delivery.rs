//! A delivery that is signed: the input of the targets `differential` and `http`.

use std::{
    array,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};
use pierre_webhook_core::{EmptySecret, Secret, Verifier};

use crate::{
    fields::{Fields, Pair},
    menu,
    oracle::{self, Accepted, SECOND, Settings},
};

/// Settings, headers and a body. The menu of the headers' values ends in the timestamp and the MACs of the
/// body under each secret, so most deliveries are signed, whatever was mutated.
#[derive(Debug)]
pub struct Delivery {
    pub settings: Settings,
    /// The sizes of the body's chunks.
    pub chunks: Vec<u8>,
    pub headers: Vec<Pair>,
    pub body: Vec<u8>,
}

impl Delivery {
    pub(crate) fn read(mut fields: Fields<'_>) -> Self {
        let [now, max_age, tolerance, limit, until] = array::from_fn(|_| fields.field());
        let timestamp = fields.field().text();
        let chunks = fields.field().text();
        let accepted =
            fields.list().into_iter().map(|secret| Accepted { secret: secret.text(), until: None });
        let mut secrets: Vec<_> = accepted.collect();
        // Numbers and MACs are made of the body, which comes last: its field is read ahead.
        let mut headers = fields.clone();
        fields.pairs(|_| Vec::new());
        let body = fields.last().expand(&menu::JSON);
        let numbers = numbers(&timestamp, &body);
        let values = values(&numbers, &timestamp, &secrets, &body);
        let headers = headers.pairs(|value| value.expand(&values));

        let [now, max_age, tolerance, limit, until] =
            [now, max_age, tolerance, limit, until].map(|field| field.expand(&numbers));
        // The current secret, which is the first, does not expire.
        if let Some(last) = secrets.iter_mut().skip(1).last() {
            last.until = seconds::<i64>(&until);
        }
        // Two times, with a space between, if the clock goes on before the body is complete.
        let mut times = now.splitn(2, |byte| *byte == b' ');
        let now = times.next().and_then(seconds::<i64>).unwrap_or(1_790_000_000 * SECOND);
        let settings = Settings {
            secrets,
            now,
            end: times.next().and_then(seconds::<i64>).unwrap_or(now),
            max_age: match &*max_age {
                b"any" => None,
                text => Some(seconds::<u64>(text).unwrap_or(300 * SECOND)),
            },
            tolerance: seconds::<u64>(&tolerance).unwrap_or(60 * SECOND),
            limit: str::from_utf8(&limit)
                .ok()
                .and_then(|text| text.parse().ok())
                .unwrap_or(1 << 20),
        };
        Self { settings, chunks, headers, body }
    }

    /// Core's verifier with these settings, for one delivery: its clock reads `now` once, and then `end`.
    ///
    /// # Errors
    ///
    /// If a secret is rejected.
    pub fn verifier(&self) -> std::result::Result<Verifier, EmptySecret> {
        let settings = &self.settings;
        let mut secrets = settings.secrets.iter();
        let current = secrets.next().map(|first| &*first.secret).unwrap_or_default();
        let (now, end) = (instant(settings.now), instant(settings.end));
        let was_read = AtomicBool::new(false);
        let mut verifier = Verifier::new(Secret::new(current)?)
            .clock(move || if was_read.swap(true, Ordering::Relaxed) { end } else { now })
            .future_tolerance(duration(settings.tolerance))
            .body_limit(settings.limit);
        for accepted in secrets {
            let secret = Secret::new(&accepted.secret)?;
            verifier = match accepted.until {
                Some(until) => verifier.or_secret_until(secret, instant(until)),
                None => verifier.or_secret(secret),
            };
        }
        Ok(match settings.max_age {
            Some(max_age) => verifier.max_age(duration(max_age)),
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
fn values(
    numbers: &[Vec<u8>],
    timestamp: &[u8],
    secrets: &[Accepted],
    body: &[u8],
) -> Vec<Vec<u8>> {
    let mut menu: Vec<Vec<u8>> = menu::VALUES.iter().map(|piece| piece.as_bytes().into()).collect();
    menu.extend_from_slice(numbers);
    // More would cost time and tell nothing new.
    for accepted in secrets.iter().take(4) {
        let digits = oracle::hex(&oracle::mac(&accepted.secret, timestamp, body));
        menu.push(digits.to_uppercase().into());
        menu.push(digits.into());
    }
    menu
}

/// Seconds with up to nine digits of a fraction, in nanoseconds. `T` holds the whole seconds.
fn seconds<T: TryFrom<i128>>(text: &[u8]) -> Option<i128> {
    let text = str::from_utf8(text).ok().filter(|text| !text.starts_with('+'))?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let nanoseconds: i128 = format!("{whole}{fraction:0<9}").parse().ok()?;
    let is_held = whole.ends_with(|last: char| last.is_ascii_digit())
        && fraction.len() <= 9
        && T::try_from(nanoseconds.div_euclid(SECOND)).is_ok();
    is_held.then_some(nanoseconds)
}

fn instant(time: i128) -> SystemTime {
    let since = duration(time.abs());
    if time < 0 { UNIX_EPOCH - since } else { UNIX_EPOCH + since }
}

fn duration(nanoseconds: i128) -> Duration {
    Duration::from_nanos_u128(nanoseconds.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_in_the_range_of_the_clock() {
        for (text, expected) in [
            ("0", Some(0)),
            ("-1.5", Some(-SECOND * 3 / 2)),
            ("9223372036854775807.999999999", Some((i64::MAX as i128 + 1) * SECOND - 1)),
            ("-9223372036854775808", Some(i64::MIN as i128 * SECOND)),
        ] {
            assert_eq!(seconds::<i64>(text.as_bytes()), expected, "{text}");
            expected.map(instant);
        }
        let others = " - +1 1e3 1.-5 9223372036854775808 -9223372036854775808.5 1.0123456789";
        for text in others.split(' ') {
            assert_eq!(seconds::<i64>(text.as_bytes()), None, "{text}");
        }
        assert_eq!(seconds::<u64>(b"18446744073709551615"), Some(u64::MAX as i128 * SECOND));
        for text in ["-1", "-0.5", "18446744073709551616"] {
            assert_eq!(seconds::<u64>(text.as_bytes()), None, "{text}");
        }
    }
}
