//! Rules 1 to 3.

/// The headers of a delivery.
#[derive(Debug, PartialEq)]
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
        let signature = match lines(headers, "x-pierre-signature")[..] {
            [line] if is_visible(line) && !line.is_empty() => line,
            _ => return Err("Missing or invalid X-Pierre-Signature header".into()),
        };
        let declared = lines(headers, "content-length").into_iter().filter(|line| is_digits(line));
        Ok(Self {
            event_type: Self::event_type(headers)?,
            signature: Signature::read(signature)?,
            declared: declared.map(Vec::from).collect(),
        })
    }

    pub fn event_type(headers: &[(Vec<u8>, Vec<u8>)]) -> Result<String, String> {
        match lines(headers, "x-pierre-event")[..] {
            [line] if is_event_type(line) => Ok(text(line)),
            _ => Err("Missing or invalid X-Pierre-Event header".into()),
        }
    }
}

impl Signature {
    pub fn read(value: &[u8]) -> Result<Self, String> {
        const FORMAT: &str = "Invalid signature header format";

        if !is_visible(value) {
            return Err(FORMAT.into());
        }
        let mut timestamps = Vec::new();
        let mut sha256 = Vec::new();
        for element in value.split(|byte| *byte == b',').map(trim) {
            let Some(equals) = element.iter().position(|byte| *byte == b'=') else { continue };
            let value = element[equals + 1..].to_vec();
            match &element[..equals] {
                b"t" => timestamps.push(value),
                b"sha256" if !value.is_empty() => sha256.push(value),
                _ => {}
            }
        }
        let [timestamp_text] = &timestamps[..] else { return Err(FORMAT.into()) };
        if timestamp_text.is_empty() || !(1..=8).contains(&sha256.len()) {
            return Err(FORMAT.into());
        }
        let timestamp = Some(text(timestamp_text))
            .filter(|_| is_digits(timestamp_text))
            .and_then(|digits| digits.parse::<i64>().ok())
            .ok_or("Invalid timestamp in signature")?;
        Ok(Self {
            timestamp_text: timestamp_text.clone(),
            timestamp: timestamp.unsigned_abs(),
            sha256,
        })
    }
}

/// The values of the lines with a name.
fn lines<'a>(headers: &'a [(Vec<u8>, Vec<u8>)], wanted: &str) -> Vec<&'a [u8]> {
    headers
        .iter()
        .filter(|(name, _)| name.to_ascii_lowercase() == wanted.as_bytes())
        .map(|(_, value)| trim(value))
        .collect()
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
