//! The times in payloads: RFC 3339 date-times with an offset.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserializer, de};

/// Jiff accepts more than RFC 3339, for example a zone in brackets after the offset, or an offset of 25 hours.
pub(super) fn rfc3339<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    struct Rfc3339;

    impl de::Visitor<'_> for Rfc3339 {
        type Value = Timestamp;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an RFC 3339 date-time with an offset")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
            if text.len() > LONGEST || !ends_in_offset(text) {
                return Err(E::invalid_value(de::Unexpected::Str(text), &self));
            }
            text.parse().map_err(E::custom)
        }
    }

    deserializer.deserialize_str(Rfc3339)
}

/// The longest useful form, with nanoseconds and an offset. Longer input is rejected before jiff parses it.
const LONGEST: usize = "2024-01-20T10:30:00.000000000+00:00".len();

/// Checks for `Z`, or for an offset of less than 24 hours. Jiff checks the rest.
fn ends_in_offset(text: &str) -> bool {
    matches!(
        text.as_bytes(),
        [.., b'Z' | b'z']
            | [.., b'+' | b'-', b'0' | b'1', _, b':', _, _]
            | [.., b'+' | b'-', b'2', b'0'..=b'3', b':', _, _]
    )
}
