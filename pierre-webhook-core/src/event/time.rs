//! The times of payloads: RFC 3339 date-times with an offset.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserializer, de};

/// Jiff reads more than RFC 3339: a zone in brackets behind the offset, say, or an offset of 25 hours.
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

/// Nanoseconds and an offset: what jiff would read of a megabyte of digits is no more.
const LONGEST: usize = "2024-01-20T10:30:00.000000000+00:00".len();

/// `Z`, or hours below 24 and minutes; what stands before and between is jiff's to judge.
fn ends_in_offset(text: &str) -> bool {
    matches!(
        text.as_bytes(),
        [.., b'Z' | b'z']
            | [.., b'+' | b'-', b'0' | b'1', _, b':', _, _]
            | [.., b'+' | b'-', b'2', b'0'..=b'3', b':', _, _]
    )
}
