//! Rules 1 to 3, and what the headers alone decide of rule 5.

use super::INVALID_SIGNATURE;

/// The headers of a delivery.
#[derive(Debug)]
pub struct Head {
    pub event_type: String,
    pub signature: Signature,
    /// The values of `Content-Length` that are digits alone.
    pub declared: Vec<Vec<u8>>,
}

/// The signature header.
#[derive(Debug, PartialEq)]
pub struct Signature {
    pub timestamp_text: Vec<u8>,
    pub timestamp: u64,
    pub sha256: Vec<Vec<u8>>,
}

impl Head {
    pub fn read(headers: &[(Vec<u8>, Vec<u8>)]) -> Result<Self, String> {
        let lines = |wanted: &str| -> Vec<&[u8]> {
            let is_named = |name: &[u8]| name.to_ascii_lowercase() == wanted.as_bytes();
            headers
                .iter()
                .filter(|(name, _)| is_named(name))
                .map(|(_, value)| trim(value))
                .collect()
        };
        let signature = match lines("x-pierre-signature")[..] {
            [line] if is_visible(line) && !line.is_empty() => line,
            _ => return Err("Missing or invalid X-Pierre-Signature header".into()),
        };
        let event_type = match lines("x-pierre-event")[..] {
            [line] if is_event_type(line) => line,
            _ => return Err("Missing or invalid X-Pierre-Event header".into()),
        };
        let declared =
            lines("content-length").into_iter().filter(|line| is_digits(line)).map(Vec::from);
        Ok(Self {
            event_type: text(event_type),
            signature: Signature::read(signature)?,
            declared: declared.collect(),
        })
    }
}

impl Signature {
    pub fn read(value: &[u8]) -> Result<Self, String> {
        const FORMAT: &str = "Invalid signature header format";

        if !is_visible(value) {
            return Err(FORMAT.into());
        }
        let elements = value.split(|byte| *byte == b',').map(trim);
        let mut timestamps = Vec::new();
        let mut sha256 = Vec::new();
        for element in elements {
            let Some(equals) = element.iter().position(|byte| *byte == b'=') else { continue };
            let value = element[equals + 1..].to_vec();
            match &element[..equals] {
                b"t" => timestamps.push(value),
                b"sha256" if !value.is_empty() => sha256.push(value),
                _ => {}
            }
        }
        let [timestamp_text] = &timestamps[..] else { return Err(FORMAT.into()) };
        if timestamp_text.is_empty() || sha256.is_empty() || sha256.len() > 8 {
            return Err(FORMAT.into());
        }
        let timestamp_text = timestamp_text.clone();
        let timestamp = Some(text(&timestamp_text))
            .filter(|_| is_digits(&timestamp_text))
            .and_then(|digits| digits.parse::<i64>().ok())
            .ok_or("Invalid timestamp in signature")?;
        Ok(Self { timestamp_text, timestamp: timestamp.unsigned_abs(), sha256 })
    }

    /// Rule 5 where no value is well formed.
    pub fn check_well_formed(&self) -> Result<(), String> {
        let is_hex = |value: &Vec<u8>| value.len() == 64 && value.iter().all(u8::is_ascii_hexdigit);
        if self.sha256.iter().any(is_hex) { Ok(()) } else { Err(INVALID_SIGNATURE.into()) }
    }
}

pub(super) fn is_event_type(text: &[u8]) -> bool {
    (1..=128).contains(&text.len())
        && text.iter().all(|byte| byte.is_ascii_graphic() && *byte != b',')
}

fn is_visible(value: &[u8]) -> bool {
    value.iter().all(|byte| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\t'))
}

fn is_digits(value: &[u8]) -> bool {
    !value.is_empty() && value.iter().all(u8::is_ascii_digit)
}

fn trim(value: &[u8]) -> &[u8] {
    let is_kept = |byte: &u8| !matches!(byte, b' ' | b'\t');
    let start = value.iter().position(is_kept).unwrap_or(value.len());
    let end = value.iter().rposition(is_kept).map_or(start, |last| last + 1);
    &value[start..end]
}

fn text(ascii: &[u8]) -> String {
    ascii.iter().map(|byte| char::from(*byte)).collect()
}
