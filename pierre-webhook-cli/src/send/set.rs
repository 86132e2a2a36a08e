//! The argument `--set /ref='"refs/heads/x"'`: a JSON pointer (RFC 6901) and a JSON value.

use std::str::FromStr;

use serde_json::value::RawValue;

use crate::{exit::Failure, payload::Tree};

/// Bounds the recursion, which goes one level deeper for each name.
const MAX_DEPTH: usize = 100;

/// One change to a payload.
#[derive(Clone, Debug)]
pub(crate) struct Set {
    pointer: String,
    path: Vec<String>,
    value: Box<RawValue>,
}

impl Set {
    pub(crate) fn apply(&self, payload: &mut Tree) -> Result<(), Failure> {
        payload
            .set(&self.path, &self.value)
            .map_err(|why| Failure::usage(format!("--set {}: {why}", self.pointer)))
    }
}

impl FromStr for Set {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (pointer, value) =
            text.split_once('=').ok_or("not POINTER=JSON, as in /run_count=7")?;
        let path = match pointer.strip_prefix('/') {
            Some(path) => path.split('/').map(unescape).collect::<Result<Vec<_>, _>>()?,
            None if pointer.is_empty() => Vec::new(),
            None => {
                return Err("a JSON pointer begins with a slash, as in /repository/id".to_owned());
            }
        };
        if path.len() > MAX_DEPTH {
            return Err(format!("a JSON pointer of more than {MAX_DEPTH} names"));
        }
        let value = serde_json::from_str(value).map_err(|error| {
            format!("the value is not JSON ({error}); a string needs quotes: '/ref=\"main\"'")
        })?;
        Ok(Self { pointer: pointer.to_owned(), path, value })
    }
}

fn unescape(token: &str) -> Result<String, String> {
    let mut parts = token.split('~');
    let mut key = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (character, rest) = match (part.strip_prefix('0'), part.strip_prefix('1')) {
            (Some(rest), _) => ('~', rest),
            (_, Some(rest)) => ('/', rest),
            _ => {
                return Err("a JSON pointer spells ~ as ~0, and / within a name as ~1".to_owned());
            }
        };
        key.push(character);
        key.push_str(rest);
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_a_json_pointer_and_a_value() {
        let set = Set::from_str(r#"/a~1b/~0c//0="x=y""#).unwrap();
        assert_eq!(set.path, ["a/b", "~c", "", "0"]);
        assert_eq!(set.value.get(), r#""x=y""#);
        assert!(Set::from_str("={}").unwrap().path.is_empty());
        let deep = format!("{}=1", "/a".repeat(101));
        for (wrong, why) in [
            ("/a", "POINTER=JSON"),
            ("a=1", "slash"),
            ("/ref=main", "quotes"),
            ("/~2=1", "~0"),
            (&*deep, "more than 100"),
        ] {
            assert!(Set::from_str(wrong).unwrap_err().contains(why), "{wrong}");
        }
    }
}
