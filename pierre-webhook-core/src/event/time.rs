//! The times of payloads: RFC 3339 date-times with an offset.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserializer, de};

/// Jiff reads more than RFC 3339: a zone in brackets behind the offset, say, which nothing here checks
/// against it.
pub(super) fn rfc3339<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    struct Rfc3339;

    impl de::Visitor<'_> for Rfc3339 {
        type Value = Timestamp;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an RFC 3339 date-time with an offset")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
            if !ends_in_offset(text) {
                return Err(E::invalid_value(de::Unexpected::Str(text), &self));
            }
            text.parse().map_err(E::custom)
        }
    }

    deserializer.deserialize_str(Rfc3339)
}

/// `Z`, or hours and minutes; what stands before and between is jiff's to judge.
fn ends_in_offset(text: &str) -> bool {
    matches!(text.as_bytes(), [.., b'Z' | b'z'] | [.., b'+' | b'-', _, _, b':', _, _])
}
