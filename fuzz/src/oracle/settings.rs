//! What a verifier is told, and rules 4, 4b and 5.

use super::{Head, INVALID_SIGNATURE, Signature, hex, mac};

pub const SECOND: i128 = 1_000_000_000;

/// Times and spans are in nanoseconds.
#[derive(Clone, Debug)]
pub struct Settings {
    pub secrets: Vec<Accepted>,
    /// What the clock reads at the head of a delivery.
    pub now: i128,
    /// What it reads when the body is complete.
    pub end: i128,
    /// `None`: any age.
    pub max_age: Option<i128>,
    pub tolerance: i128,
    pub limit: usize,
}

/// A secret, and the time from which on it is not accepted.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub secret: Vec<u8>,
    pub until: Option<i128>,
}

impl Accepted {
    /// Whether a secret of these bytes can be made.
    pub fn is_a_secret(&self) -> bool {
        self.secret.iter().any(|byte| !matches!(byte, 0x00 | 0x09..=0x0D | 0x20))
    }
}

impl Settings {
    /// What the headers decide.
    pub fn check_head(&self, head: &Head) -> Result<(), String> {
        self.check_age(head.signature.timestamp)?;
        self.check_declared(&head.declared)?;
        check_well_formed(&head.signature)
    }

    /// Rule 4 for the head.
    pub fn check_age(&self, timestamp: u64) -> Result<(), String> {
        self.check_max_age(self.now, timestamp)?;
        let is_in_future = age(self.now, timestamp) * SECOND < -self.tolerance;
        if self.max_age.is_some() && is_in_future {
            return Err("Webhook timestamp is in the future".into());
        }
        Ok(())
    }

    /// Rule 4, the half that is judged again when the body is complete.
    fn check_max_age(&self, now: i128, timestamp: u64) -> Result<(), String> {
        let age = age(now, timestamp);
        if self.max_age.is_some_and(|max_age| age * SECOND > max_age) {
            return Err(format!("Webhook timestamp too old ({age} seconds)"));
        }
        Ok(())
    }

    /// Rule 4b for the values of `Content-Length`. They may be larger than every integer, so they are compared
    /// as digits.
    fn check_declared(&self, lengths: &[String]) -> Result<(), String> {
        let limit = self.limit.to_string();
        let is_over = lengths.iter().any(|length| {
            let digits = length.trim_start_matches('0');
            (digits.len(), digits) > (limit.len(), &*limit)
        });
        if is_over { Err(self.too_large()) } else { Ok(()) }
    }

    /// Rule 4b for the bytes that arrived.
    pub fn check_length(&self, length: usize) -> Result<(), String> {
        if length > self.limit { Err(self.too_large()) } else { Ok(()) }
    }

    fn too_large(&self) -> String {
        format!("Webhook body larger than {} bytes", self.limit)
    }

    /// The rules for a complete body whose head has passed: rule 4b, rule 4 again, then rule 5. Returns the
    /// index of the secret.
    pub fn authenticate(&self, signature: &Signature, body: &[u8]) -> Result<usize, String> {
        check_well_formed(signature)?;
        self.check_length(body.len())?;
        self.check_max_age(self.end, signature.timestamp)?;
        let signed = |accepted: &Accepted| {
            let digits = hex(&mac(&accepted.secret, signature.timestamp_text.as_bytes(), body));
            accepted.until.is_none_or(|until| self.now < until && self.end < until)
                && signature.sha256.iter().any(|v| v.eq_ignore_ascii_case(&digits))
        };
        self.secrets.iter().position(signed).ok_or_else(|| INVALID_SIGNATURE.into())
    }

    /// For the functions that take the whole body, and read the clock once.
    pub fn at_once(&self) -> Self {
        Self { end: self.now, ..self.clone() }
    }
}

/// In whole seconds, the time being rounded down.
fn age(now: i128, timestamp: u64) -> i128 {
    now.div_euclid(SECOND) - i128::from(timestamp)
}

/// Rule 5 if no value is well formed.
fn check_well_formed(signature: &Signature) -> Result<(), String> {
    let is_hex =
        |value: &String| value.len() == 64 && value.chars().all(|char| char.is_ascii_hexdigit());
    if signature.sha256.iter().any(is_hex) { Ok(()) } else { Err(INVALID_SIGNATURE.into()) }
}
