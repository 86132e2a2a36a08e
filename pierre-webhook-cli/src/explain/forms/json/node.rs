//! A JSON value that can be written again.

use serde_json::value::RawValue;

use crate::json_members::{Parts, parts};

/// Real payloads are not nested this deeply.
const MAX_DEPTH: u8 = 64;

/// A JSON value. Numbers keep their spelling.
pub(in crate::explain::forms) enum Node {
    Object(Vec<(String, Self)>),
    Array(Vec<Self>),
    Text(String),
    Token(String),
}

impl Node {
    /// Returns `None` if it is not JSON, is nested too deeply, or has a string that is not text.
    pub(in crate::explain::forms) fn parse(json: &str) -> Option<Self> {
        let whole: Box<RawValue> = serde_json::from_str(json).ok()?;
        Self::parse_within(whole.get(), MAX_DEPTH)
    }

    fn parse_within(json: &str, depth: u8) -> Option<Self> {
        let depth = depth.checked_sub(1)?;
        Some(match parts(json) {
            Some(Parts::Object(members)) => Self::Object(
                members
                    .into_iter()
                    .map(|(name, raw)| Some((name, Self::parse_within(raw.get(), depth)?)))
                    .collect::<Option<_>>()?,
            ),
            Some(Parts::Array(elements)) => Self::Array(
                elements
                    .iter()
                    .map(|raw| Self::parse_within(raw.get(), depth))
                    .collect::<Option<_>>()?,
            ),
            None if json.starts_with('"') => Self::Text(serde_json::from_str(json).ok()?),
            None if json.starts_with(['{', '[']) => return None,
            None => Self::Token(json.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_rewritten_is_not_parsed() {
        let deep = "[".repeat(1000) + &"]".repeat(1000);
        for json in ["", "{", "[1,]", r#""\ud800""#, "{} {}", &deep] {
            assert!(Node::parse(json).is_none(), "{json:.20}");
        }
    }
}
