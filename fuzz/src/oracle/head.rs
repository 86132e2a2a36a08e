//! Rules 1 to 3. Bytes are read as latin-1, so each is a character.

use crate::fields::Pair;

const BLANKS: [char; 2] = [' ', '\t'];

/// The headers of a delivery.
#[derive(Debug, PartialEq)]
pub struct Head {
    pub event_type: String,
    pub signature: Signature,
    /// The values of `Content-Length` that are digits alone.
    pub declared: Vec<String>,
}

/// The signature header.
#[derive(Debug, PartialEq)]
pub struct Signature {
    pub timestamp_text: String,
    pub timestamp: u64,
    pub sha256: Vec<String>,
}

impl Head {
    pub fn read(headers: &[Pair]) -> Result<Self, String> {
        let signatures = lines(headers, "x-pierre-signature");
        let signature = match &signatures[..] {
            [line] if is_visible(line) && !line.is_empty() => line.as_bytes(),
            _ => return Err("Missing or invalid X-Pierre-Signature header".into()),
        };
        let mut declared = lines(headers, "content-length");
        declared.retain(|line| is_digits(line));
        let event_type = Self::event_type(headers)?;
        Ok(Self { event_type, signature: Signature::read(signature)?, declared })
    }

    pub fn event_type(headers: &[Pair]) -> Result<String, String> {
        match &lines(headers, "x-pierre-event")[..] {
            [line] if is_event_type(line) => Ok(line.clone()),
            _ => Err("Missing or invalid X-Pierre-Event header".into()),
        }
    }
}

impl Signature {
    pub fn read(value: &[u8]) -> Result<Self, String> {
        let value = latin1(value);
        let named = |wanted| {
            let elements = value.split(',').map(|element| element.trim_matches(BLANKS));
            let values = elements.filter_map(|element| element.split_once('='));
            values.filter(move |(name, _)| *name == wanted).map(|(_, value)| value.to_owned())
        };
        let timestamps: Vec<_> = named("t").collect();
        let sha256: Vec<_> = named("sha256").filter(|value| !value.is_empty()).collect();
        match &timestamps[..] {
            [text] if is_visible(&value) && !text.is_empty() && (1..=8).contains(&sha256.len()) => {
                let timestamp = Some(text).filter(|text| is_digits(text));
                let timestamp = timestamp.and_then(|digits| digits.parse::<i64>().ok());
                let timestamp = timestamp.ok_or("Invalid timestamp in signature")?.unsigned_abs();
                Ok(Self { timestamp_text: text.clone(), timestamp, sha256 })
            }
            _ => Err("Invalid signature header format".into()),
        }
    }
}

/// The values of the lines with a name.
fn lines(headers: &[Pair], wanted: &str) -> Vec<String> {
    let named = headers.iter().filter(|(name, _)| latin1(name).to_ascii_lowercase() == wanted);
    named.map(|(_, value)| latin1(value).trim_matches(BLANKS).to_owned()).collect()
}

pub(super) fn is_event_type(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.chars().all(|c| c.is_ascii_graphic() && c != ',')
}

fn is_visible(value: &str) -> bool {
    value.chars().all(|char| char.is_ascii_graphic() || BLANKS.contains(&char))
}

fn is_digits(value: &str) -> bool {
    !value.is_empty() && value.chars().all(|char| char.is_ascii_digit())
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}
