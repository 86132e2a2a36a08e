//! The headers of a delivery (rule 1), and the declared length of the body.

use std::fmt;

use crate::{
    error::Error,
    event::is_event_type,
    header_value::{decimal, is_visible, trim},
    signature::Signature,
};

/// The name of the signature header: `t=<unix seconds>,sha256=<64 hex digits>`.
pub const SIGNATURE_HEADER: &str = "x-pierre-signature";

/// The name of the event header: the event type, such as `push`. It isn't signed.
pub const EVENT_HEADER: &str = "x-pierre-event";

const CONTENT_LENGTH: &str = "content-length";

/// The parsed headers of a delivery. Every value of this type has both headers, a well-formed signature and a
/// valid timestamp (rules 1 to 3 of the protocol).
///
/// Nothing is verified yet. Parsing needs no secret and doesn't allocate, so junk is rejected cheaply.
///
/// ```
/// use pierre_webhook_core::{DeliveryHeaders, EVENT_HEADER, SIGNATURE_HEADER};
///
/// let headers = DeliveryHeaders::parse([
///     (EVENT_HEADER, "push"),
///     (SIGNATURE_HEADER, "t=1790000000,sha256=d1c1a1b4"),
/// ])?;
/// assert_eq!(headers.event_type(), "push");
/// assert_eq!(headers.timestamp(), 1_790_000_000);
/// # Ok::<(), pierre_webhook_core::Error>(())
/// ```
#[derive(Clone)]
pub struct DeliveryHeaders<'a> {
    event_type: &'a str,
    signature: Signature<'a>,
    declared_length: Option<u128>,
}

impl<'a> DeliveryHeaders<'a> {
    /// Parses the two headers, and `Content-Length`, from a header map (that of http or of actix) or any list
    /// of pairs. Names are case-insensitive.
    ///
    /// # Errors
    ///
    /// In this order: [`Error::MissingSignatureHeader`], [`Error::MissingEventHeader`],
    /// [`Error::InvalidSignatureHeader`], [`Error::InvalidTimestamp`].
    pub fn parse<N, V>(headers: impl IntoIterator<Item = (N, &'a V)>) -> Result<Self, Error>
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]> + ?Sized + 'a,
    {
        Self::from_lines(Lines::of(headers))
    }

    fn from_lines(lines: Lines<'a>) -> Result<Self, Error> {
        let signature = lines.signature.visible().ok_or(Error::MissingSignatureHeader)?;
        let event_type = lines.event_type.event_type().ok_or(Error::MissingEventHeader)?;
        let signature = Signature::parse_visible(signature)?;
        Ok(Self { event_type, signature, declared_length: lines.declared_length })
    }

    /// Parses the event header alone, for example to log the event type of a rejected request.
    ///
    /// # Errors
    ///
    /// [`Error::MissingEventHeader`].
    pub fn parse_event_type<N, V>(
        headers: impl IntoIterator<Item = (N, &'a V)>,
    ) -> Result<&'a str, Error>
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]> + ?Sized + 'a,
    {
        Lines::of(headers).event_type.event_type().ok_or(Error::MissingEventHeader)
    }

    /// Returns the event type. It isn't signed: don't trust it until it has been compared with the body.
    pub fn event_type(&self) -> &'a str {
        self.event_type
    }

    /// Returns when the delivery claims to have been signed, in Unix seconds.
    pub fn timestamp(&self) -> u64 {
        self.signature.timestamp()
    }

    /// Returns the parsed signature header.
    pub fn signature(&self) -> &Signature<'a> {
        &self.signature
    }

    /// The largest `Content-Length`. It is a `u128`, so that a length too large for a `u64` is above all others.
    pub(crate) fn declared_length(&self) -> Option<u128> {
        self.declared_length
    }
}

/// Omits the `sha256` values, with which a delivery could be replayed while it is fresh.
impl fmt::Debug for DeliveryHeaders<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeliveryHeaders")
            .field("event_type", &self.event_type)
            .field("signature", &self.signature)
            .finish_non_exhaustive()
    }
}

/// The lines that matter, out of all header lines.
#[derive(Default)]
struct Lines<'a> {
    signature: Line<'a>,
    event_type: Line<'a>,
    declared_length: Option<u128>,
}

impl<'a> Lines<'a> {
    // Small, because it is the only part that is compiled once per header map type.
    fn of<N, V>(headers: impl IntoIterator<Item = (N, &'a V)>) -> Self
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]> + ?Sized + 'a,
    {
        let mut lines = Self::default();
        for (name, value) in headers {
            lines.add(name.as_ref(), value.as_ref());
        }
        lines
    }

    #[inline]
    fn add(&mut self, name: &[u8], value: &'a [u8]) {
        if is_named(name, SIGNATURE_HEADER) {
            self.signature.add(value);
        } else if is_named(name, EVENT_HEADER) {
            self.event_type.add(value);
        } else if is_named(name, CONTENT_LENGTH) {
            // If there are several, the largest counts (rule 4b). One that isn't a number is ignored: it parses
            // to `None`, which is below every length.
            self.declared_length = self.declared_length.max(decimal(trim(value)));
        }
    }
}

/// A header that must have exactly one line (rule 1).
#[derive(Default)]
enum Line<'a> {
    #[default]
    Absent,
    One(&'a [u8]),
    Repeated,
}

impl<'a> Line<'a> {
    #[inline]
    fn add(&mut self, value: &'a [u8]) {
        *self = match self {
            Self::Absent => Self::One(value),
            Self::One(_) | Self::Repeated => Self::Repeated,
        };
    }

    /// The value, without the spaces and tabs around it.
    fn value(self) -> Option<&'a [u8]> {
        match self {
            Self::One(value) => Some(trim(value)),
            Self::Absent | Self::Repeated => None,
        }
    }

    /// The value, if it isn't blank and contains only visible ASCII, spaces and tabs (rule 1).
    fn visible(self) -> Option<&'a [u8]> {
        self.value().filter(|value| !value.is_empty() && is_visible(value))
    }

    /// The value, if it is an event type (rule 1).
    fn event_type(self) -> Option<&'a str> {
        self.value().and_then(|value| str::from_utf8(value).ok()).filter(|text| is_event_type(text))
    }
}

/// Header maps store names in lower case, so one comparison of a known length usually decides.
#[inline(always)]
fn is_named(name: &[u8], header: &str) -> bool {
    let header = header.as_bytes();
    name.len() == header.len() && (name == header || name.eq_ignore_ascii_case(header))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNATURE: (&str, &str) = (SIGNATURE_HEADER, "t=1,sha256=a");
    const EVENT: (&str, &str) = (EVENT_HEADER, "push");

    fn error(headers: &[(&str, &str)]) -> Error {
        DeliveryHeaders::parse(headers.iter().copied()).unwrap_err()
    }

    fn declared(lengths: &[&str]) -> Option<u128> {
        let lengths = lengths.iter().map(|length| ("Content-Length", *length));
        DeliveryHeaders::parse([SIGNATURE, EVENT].into_iter().chain(lengths))
            .unwrap()
            .declared_length()
    }

    #[test]
    fn header_names_are_case_insensitive() {
        let headers = DeliveryHeaders::parse([
            ("X-PIERRE-event", "\t push "),
            ("X-Pierre-Signature", " t=1,sha256=a\t"),
            ("X-Pierre-Events", "other"),
        ])
        .unwrap();
        assert_eq!((headers.event_type(), headers.timestamp()), ("push", 1));
    }

    #[test]
    fn the_signature_header_is_checked_first_and_both_headers_before_the_format() {
        assert_eq!(error(&[]), Error::MissingSignatureHeader);
        assert_eq!(error(&[EVENT]), Error::MissingSignatureHeader);
        assert_eq!(error(&[SIGNATURE]), Error::MissingEventHeader);
        assert_eq!(error(&[(SIGNATURE_HEADER, "junk")]), Error::MissingEventHeader);
        assert_eq!(error(&[(SIGNATURE_HEADER, "junk"), EVENT]), Error::InvalidSignatureHeader);
        assert_eq!(error(&[(SIGNATURE_HEADER, "t=x,sha256=a"), EVENT]), Error::InvalidTimestamp);
    }

    #[test]
    fn a_header_that_is_repeated_blank_or_not_visible_is_rejected() {
        assert_eq!(error(&[SIGNATURE, SIGNATURE, EVENT]), Error::MissingSignatureHeader);
        assert_eq!(error(&[SIGNATURE, EVENT, EVENT, EVENT]), Error::MissingEventHeader);
        for value in ["", " \t", "t=1,sha256=a\x7f", "t=1,sha256=é", "t=1\n,sha256=a"] {
            assert_eq!(error(&[(SIGNATURE_HEADER, value), EVENT]), Error::MissingSignatureHeader);
        }
        let too_long = "x".repeat(129);
        for value in ["", " \t", "push, push", "a b", "é", "push\0", &too_long] {
            assert_eq!(error(&[SIGNATURE, (EVENT_HEADER, value)]), Error::MissingEventHeader);
        }
    }

    #[test]
    fn the_largest_declared_length_counts_and_one_that_is_not_a_number_is_ignored() {
        assert_eq!(declared(&[]), None);
        assert_eq!(declared(&["", "+1", "-1", "1.0", "1, 2", "0x1", "é"]), None);
        assert_eq!(declared(&["7", " 12\t", "x", "9"]), Some(12));
        assert_eq!(declared(&["18446744073709551615"]), Some(u64::MAX.into()));
        assert_eq!(declared(&["18446744073709551616", "5"]), Some(u128::MAX));
        assert_eq!(declared(&["00000000000000000000000000000001"]), Some(1));
    }

    #[test]
    fn the_event_type_can_be_parsed_alone() {
        let event_type = |headers: &[_]| DeliveryHeaders::parse_event_type(headers.iter().copied());
        assert_eq!(event_type(&[EVENT]), Ok("push"));
        assert_eq!(event_type(&[EVENT, EVENT]), Err(Error::MissingEventHeader));
    }
}
