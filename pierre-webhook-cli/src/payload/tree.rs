//! JSON in which parts can be replaced while the rest keeps its order and its spelling.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::json_members::{Parts, parts};

/// JSON, parsed only as far as necessary.
#[derive(Debug)]
pub(crate) enum Tree {
    Object(Vec<(String, Self)>),
    Array(Vec<Self>),
    /// Not parsed: `1e3` and `"\u0041"` stay as they are.
    Raw(Box<RawValue>),
}

impl Tree {
    /// Sets the value at a path. Missing members are created.
    pub(crate) fn set(&mut self, path: &[String], value: &RawValue) -> Result<(), String> {
        let Some((key, rest)) = path.split_first() else {
            *self = Self::Raw(value.to_owned());
            return Ok(());
        };
        self.parse_level();
        match self {
            Self::Object(members) => {
                // If a member is given twice, most readers use the last one.
                let found = members.iter_mut().rev().find(|(name, _)| name == key);
                match found {
                    Some((_, member)) => member.set(rest, value),
                    None => {
                        let mut member = Self::Object(Vec::new());
                        member.set(rest, value)?;
                        members.push((key.clone(), member));
                        Ok(())
                    }
                }
            }
            Self::Array(elements) => {
                let index = if key == "-" { Some(elements.len()) } else { index(key) };
                match index {
                    Some(index) if index < elements.len() => {
                        elements.get_mut(index).map_or(Ok(()), |element| element.set(rest, value))
                    }
                    Some(index) if index == elements.len() => {
                        let mut element = Self::Object(Vec::new());
                        element.set(rest, value)?;
                        elements.push(element);
                        Ok(())
                    }
                    _ => Err(format!("an array of {} has no element {key:?}", elements.len())),
                }
            }
            Self::Raw(_) => Err(format!("no object to hold the member {key:?}")),
        }
    }

    /// Parses down to `depth` levels.
    pub(crate) fn parse_within(&mut self, depth: u8) {
        let Some(depth) = depth.checked_sub(1) else { return };
        self.parse_level();
        match self {
            Self::Object(members) => {
                for (_, member) in members {
                    member.parse_within(depth);
                }
            }
            Self::Array(elements) => {
                for element in elements {
                    element.parse_within(depth);
                }
            }
            Self::Raw(_) => {}
        }
    }

    fn parse_level(&mut self) {
        let Self::Raw(raw) = self else { return };
        match parts(raw.get()) {
            Some(Parts::Object(members)) => {
                let members = members.into_iter().map(|(name, raw)| (name, Self::Raw(raw)));
                *self = Self::Object(members.collect());
            }
            Some(Parts::Array(elements)) => {
                *self = Self::Array(elements.into_iter().map(Self::Raw).collect());
            }
            None => {}
        }
    }
}

/// Parses an array index: no sign, no leading zero (RFC 6901).
fn index(key: &str) -> Option<usize> {
    let is_index = key == "0" || key.starts_with(|digit: char| ('1'..='9').contains(&digit));
    if is_index { key.parse().ok() } else { None }
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Object(members) => {
                serializer.collect_map(members.iter().map(|(name, member)| (name, member)))
            }
            Self::Array(elements) => serializer.collect_seq(elements),
            Self::Raw(raw) => raw.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(json: &str, path: &[&str], value: &str) -> Result<String, String> {
        let mut tree = Tree::Raw(RawValue::from_string(json.to_owned()).unwrap());
        let path: Vec<_> = path.iter().map(|key| (*key).to_owned()).collect();
        tree.set(&path, &RawValue::from_string(value.to_owned()).unwrap())?;
        Ok(serde_json::to_string(&tree).unwrap())
    }

    #[test]
    fn a_value_is_replaced_and_the_rest_keeps_its_spelling() {
        let json = r#"{"z":{"b":1.0,"a":"\u0041"},"c":[1, 2]}"#;
        for (path, value, expected) in [
            (&["z", "b"][..], "1e3", r#"{"z":{"b":1e3,"a":"\u0041"},"c":[1, 2]}"#),
            (&["c", "0"], "null", r#"{"z":{"b":1.0,"a":"\u0041"},"c":[null,2]}"#),
            (&["c", "-"], "3", r#"{"z":{"b":1.0,"a":"\u0041"},"c":[1,2,3]}"#),
            (&["c", "2"], "3", r#"{"z":{"b":1.0,"a":"\u0041"},"c":[1,2,3]}"#),
            (&["n", "m"], "{}", r#"{"z":{"b":1.0,"a":"\u0041"},"c":[1, 2],"n":{"m":{}}}"#),
            (&[], "[]", "[]"),
        ] {
            assert_eq!(set(json, path, value).as_deref(), Ok(expected), "{path:?}");
        }
    }

    #[test]
    fn a_path_that_leads_nowhere_is_an_error() {
        assert!(set(r#"{"a":"b"}"#, &["a", "c"], "1").unwrap_err().contains("no object"));
        for key in ["3", "01", "+1", "x"] {
            assert!(set("[1,2]", &[key], "1").unwrap_err().contains("no element"), "{key}");
        }
    }

    #[test]
    fn the_last_of_two_members_with_one_name_is_replaced() {
        assert_eq!(set(r#"{"a":1,"a":2}"#, &["a"], "3").as_deref(), Ok(r#"{"a":1,"a":3}"#));
    }
}
