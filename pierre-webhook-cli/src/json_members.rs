//! Splits a JSON value into its parts, one level deep. Each part keeps its spelling and its place.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// The parts of a JSON object or array.
pub(crate) enum Parts {
    Object(Vec<(String, Box<RawValue>)>),
    Array(Vec<Box<RawValue>>),
}

/// Returns `None` if the value is neither an object nor an array.
pub(crate) fn parts(json: &str) -> Option<Parts> {
    match json.trim_start().bytes().next() {
        Some(b'{') => {
            serde_json::from_str(json).ok().map(|Members(members)| Parts::Object(members))
        }
        Some(b'[') => serde_json::from_str(json).ok().map(Parts::Array),
        _ => None,
    }
}

struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}
