//! Parses the `X-Pierre-Signature` header: its format (rule 2) and its timestamp (rule 3).

use std::{fmt, iter};

use memchr::memchr;

use crate::{
    error::Error,
    header_value::{decimal, is_visible, trim},
};

/// A parsed `X-Pierre-Signature` value: `t=<unix seconds>,sha256=<64 hex digits>`.
///
/// The official SDKs call this `parseSignatureHeader`. Parsing verifies nothing: the value may still be forged.
/// It is stricter than the SDKs: `t` must appear exactly once, as ASCII digits whose value fits an `i64`.
///
/// ```
/// use pierre_webhook_core::Signature;
///
/// let signature = Signature::parse(b"t=1790000000, sha256=d1c1a1b4")?;
/// assert_eq!(signature.timestamp(), 1_790_000_000);
/// assert_eq!(signature.sha256().collect::<Vec<_>>(), ["d1c1a1b4"]);
/// # Ok::<(), pierre_webhook_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Signature<'a> {
    timestamp: u64,
    /// As written in the header, since that text is what is signed.
    timestamp_text: &'a [u8],
    /// The first `sha256` value, and the elements after it. Most signatures have only one value, so finding it
    /// again costs nothing.
    first: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Signature<'a> {
    /// Parses a header's value.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSignatureHeader`] if it isn't a comma-separated list with one `t` and one to eight `sha256`
    /// values, or contains a byte that isn't visible ASCII, a space or a tab. [`Error::InvalidTimestamp`] if `t`
    /// isn't ASCII digits whose value fits an `i64`.
    pub fn parse(value: &'a [u8]) -> Result<Self, Error> {
        if is_visible(value) {
            Self::parse_visible(value)
        } else {
            Err(Error::InvalidSignatureHeader)
        }
    }

    /// Parses a value that is known to contain only visible ASCII, spaces and tabs.
    pub(crate) fn parse_visible(list: &'a [u8]) -> Result<Self, Error> {
        const MOST_SHA256: usize = 8;

        let mut timestamp_text = None;
        let mut is_ambiguous = false;
        let mut first = None;
        let mut count = 0_usize;
        let mut elements = Elements { rest: list };
        while let Some((key, value)) = elements.next() {
            match key {
                b"t" => is_ambiguous |= timestamp_text.replace(value).is_some(),
                b"sha256" if !value.is_empty() => {
                    count = count.saturating_add(1);
                    first.get_or_insert((value, elements.rest));
                }
                _ => {}
            }
        }
        match (timestamp_text, first) {
            (Some(timestamp_text), Some((first, rest)))
                if !is_ambiguous && !timestamp_text.is_empty() && count <= MOST_SHA256 =>
            {
                let timestamp = unix_seconds(timestamp_text).ok_or(Error::InvalidTimestamp)?;
                Ok(Self { timestamp, timestamp_text, first, rest })
            }
            _ => Err(Error::InvalidSignatureHeader),
        }
    }

    /// Returns when the delivery was signed, in Unix seconds. At most `i64::MAX`.
    pub fn timestamp(&self) -> u64 {
        self.timestamp
    }

    /// Returns the one to eight `sha256` values as written. They aren't empty, but need not be 64 hex digits: that
    /// is checked when they are compared.
    pub fn sha256(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.sha256_bytes().filter_map(|value| str::from_utf8(value).ok())
    }

    pub(crate) fn sha256_bytes(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let rest = Elements { rest: self.rest }
            .filter_map(|(key, value)| (key == b"sha256" && !value.is_empty()).then_some(value));
        iter::once(self.first).chain(rest)
    }

    pub(crate) fn timestamp_text(&self) -> &'a [u8] {
        self.timestamp_text
    }
}

/// Omits the `sha256` values, with which a delivery could be replayed while it is fresh.
impl fmt::Debug for Signature<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signature").field("timestamp", &self.timestamp).finish_non_exhaustive()
    }
}

/// The `key=value` elements of a list. Those without `=` are skipped.
struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Elements<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let end = memchr(b',', self.rest).unwrap_or(self.rest.len());
            let (element, rest) = self.rest.split_at_checked(end)?;
            self.rest = rest.get(1..).unwrap_or_default();
            let element = trim(element);
            // A plain search, not memchr: the keys that count are short.
            if let Some(equals) = element.iter().position(|byte| *byte == b'=') {
                let (key, value) = element.split_at_checked(equals)?;
                return Some((key, value.get(1..).unwrap_or_default()));
            }
        }
        None
    }
}

/// The timestamp must be ASCII digits whose value fits an `i64` (rule 3).
fn unix_seconds(digits: &[u8]) -> Option<u64> {
    decimal(digits).and_then(|seconds| i64::try_from(seconds).ok()?.try_into().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(header: &str) -> Result<(u64, Vec<&str>), Error> {
        let signature = Signature::parse(header.as_bytes())?;
        Ok((signature.timestamp(), signature.sha256().collect()))
    }

    #[test]
    fn elements_may_be_in_any_order_among_unknown_ones() {
        for header in [
            "t=1,sha256=a",
            "sha256=a,t=1",
            " \tt=1\t , sha256=a ,",
            ",,junk,v=2,t=1,sha256=,sha256=a,SHA256=b,sha256 =c",
            "t,t=1,sha256,sha256=a",
        ] {
            assert_eq!(values(header), Ok((1, vec!["a"])), "{header}");
        }
    }

    #[test]
    fn a_value_is_everything_after_the_first_equals_sign() {
        assert_eq!(values("t=1,sha256==a=,sha256= b"), Ok((1, vec!["=a=", " b"])));
    }

    #[test]
    fn one_to_eight_sha256_values_are_kept() {
        let eight = format!("t=1{}", ",sha256=a".repeat(8));
        assert_eq!(values(&eight), Ok((1, vec!["a"; 8])));
        assert_eq!(values(&format!("{eight},sha256=")), Ok((1, vec!["a"; 8])));
        assert_eq!(values(&format!("{eight},sha256=a")), Err(Error::InvalidSignatureHeader));
    }

    #[test]
    fn a_malformed_signature_header_is_rejected() {
        for header in [
            "",
            " ",
            "nonsense",
            "t=1",
            "sha256=a",
            "t=,sha256=a",
            "t=1,sha256=",
            "t=1,t=1,sha256=a",
            "t=1,t=,sha256=a",
            "t=x,t=1,sha256=a",
            "t =1,sha256=a",
            "T=1,sha256=a",
            "t=1;sha256=a",
            "t=1,sha256=a\n",
            "t=1,sha256=é",
            "t=1,sha256=a\x7f",
            "t=x",
            "t=x,sha256=",
        ] {
            assert_eq!(values(header), Err(Error::InvalidSignatureHeader), "{header:?}");
        }
    }

    #[test]
    fn a_timestamp_is_ascii_digits_that_fit_an_i64() {
        for text in [
            "+1",
            "-1",
            "1.5",
            "1e3",
            "0x1",
            "1_0",
            "1 0",
            " 1",
            "9223372036854775808",
            "99999999999999999999999",
        ] {
            assert_eq!(
                values(&format!("t={text},sha256=a")),
                Err(Error::InvalidTimestamp),
                "{text}"
            );
        }
        assert_eq!(values("t=9223372036854775807,sha256=a"), Ok((i64::MAX as u64, vec!["a"])));
        let padded = format!("t={}7,sha256=a", "0".repeat(40));
        assert_eq!(values(&padded), Ok((7, vec!["a"])));
    }

    #[test]
    fn debug_omits_the_sha256_values() {
        let signature = Signature::parse(b"t=1,sha256=abcdef").unwrap();
        assert_eq!(format!("{signature:?}"), "Signature { timestamp: 1, .. }");
    }
}
