//! What a verifier is told, and rules 4, 4b and 5.

use super::{Head, INVALID_SIGNATURE, Signature, hex, mac};

pub const SECOND: i128 = 1_000_000_000;

/// Times and spans are in nanoseconds.
#[derive(Clone, Debug)]
pub struct Settings {
    pub secrets: Vec<Accepted>,
    pub now: i128,
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

    /// Rule 4.
    pub fn check_age(&self, timestamp: u64) -> Result<(), String> {
        let Some(max_age) = self.max_age else { return Ok(()) };
        let age = self.now.div_euclid(SECOND) - i128::from(timestamp);
        if age * SECOND > max_age {
            Err(format!("Webhook timestamp too old ({age} seconds)"))
        } else if age * SECOND < -self.tolerance {
            Err("Webhook timestamp is in the future".into())
        } else {
            Ok(())
        }
    }

    /// Rule 4b for the values of `Content-Length`. They may be larger than every integer, so they are compared
    /// as digits.
    fn check_declared(&self, lengths: &[Vec<u8>]) -> Result<(), String> {
        let limit = self.limit.to_string().into_bytes();
        let is_over = lengths.iter().any(|length| {
            let zeros = length.iter().take_while(|digit| **digit == b'0').count();
            let digits = &length[zeros..];
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

    /// Rule 5, and rule 4b within it, once the head has passed and the body is complete: the index of the
    /// secret.
    pub fn authenticate(&self, signature: &Signature, body: &[u8]) -> Result<usize, String> {
        check_well_formed(signature)?;
        self.check_length(body.len())?;
        let signed = |accepted: &Accepted| {
            let digits = hex(&mac(&accepted.secret, &signature.timestamp_text, body));
            accepted.until.is_none_or(|until| self.now < until)
                && signature.sha256.iter().any(|v| v.eq_ignore_ascii_case(digits.as_bytes()))
        };
        self.secrets.iter().position(signed).ok_or_else(|| INVALID_SIGNATURE.into())
    }
}

/// Rule 5 if no value is well formed.
fn check_well_formed(signature: &Signature) -> Result<(), String> {
    let is_hex = |value: &Vec<u8>| value.len() == 64 && value.iter().all(u8::is_ascii_hexdigit);
    if signature.sha256.iter().any(is_hex) { Ok(()) } else { Err(INVALID_SIGNATURE.into()) }
}
