//! A JSON value of which a part is replaced, while the rest keeps its order and its spelling.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::json_members::{Parts, parts};

/// JSON, taken apart as far as it had to be.
#[derive(Debug)]
pub(crate) enum Tree {
    Object(Vec<(String, Self)>),
    Array(Vec<Self>),
    /// As it was written, `1e3` and `"\u0041"` too.
    Whole(Box<RawValue>),
}

impl Tree {
    pub(crate) fn new(value: &impl Serialize) -> serde_json::Result<Self> {
        serde_json::value::to_raw_value(value).map(Self::Whole)
    }

    /// Puts a value at the end of a path. Members that are missing on the way are created.
    pub(crate) fn set(&mut self, path: &[String], value: &RawValue) -> Result<(), String> {
        let Some((key, rest)) = path.split_first() else {
            *self = Self::Whole(value.to_owned());
            return Ok(());
        };
        self.take_apart();
        match self {
            Self::Object(members) => {
                // Of a member given twice the last one counts for most readers.
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
                    _ => Err(format!("an array of {} has no place {key:?}", elements.len())),
                }
            }
            Self::Whole(_) => Err(format!("there is no object that could have a member {key:?}")),
        }
    }

    /// Takes apart what is to be laid out, down to a depth that payloads have.
    pub(crate) fn take_apart_within(&mut self, depth: u8) {
        let Some(depth) = depth.checked_sub(1) else { return };
        self.take_apart();
        match self {
            Self::Object(members) => {
                members.iter_mut().for_each(|(_, member)| member.take_apart_within(depth));
            }
            Self::Array(elements) => {
                elements.iter_mut().for_each(|element| element.take_apart_within(depth));
            }
            Self::Whole(_) => {}
        }
    }

    fn take_apart(&mut self) {
        let Self::Whole(raw) = self else { return };
        match parts(raw.get()) {
            Some(Parts::Object(members)) => {
                let members = members.into_iter().map(|(name, raw)| (name, Self::Whole(raw)));
                *self = Self::Object(members.collect());
            }
            Some(Parts::Array(elements)) => {
                *self = Self::Array(elements.into_iter().map(Self::Whole).collect());
            }
            None => {}
        }
    }
}

/// No sign and no leading zero (RFC 6901).
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
            Self::Whole(raw) => raw.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(json: &str, path: &[&str], value: &str) -> Result<String, String> {
        let mut tree = Tree::Whole(RawValue::from_string(json.to_owned()).unwrap());
        let path: Vec<_> = path.iter().map(|key| (*key).to_owned()).collect();
        tree.set(&path, &RawValue::from_string(value.to_owned()).unwrap())?;
        Ok(serde_json::to_string(&tree).unwrap())
    }

    #[test]
    fn one_value_is_replaced_and_the_rest_stays_as_it_was_written() {
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
    fn a_place_that_cannot_be_is_an_error() {
        assert!(set(r#"{"a":"b"}"#, &["a", "c"], "1").unwrap_err().contains("no object"));
        for key in ["3", "01", "+1", "x"] {
            assert!(set("[1,2]", &[key], "1").unwrap_err().contains("no place"), "{key}");
        }
    }

    #[test]
    fn of_a_member_given_twice_the_last_is_replaced() {
        assert_eq!(set(r#"{"a":1,"a":2}"#, &["a"], "3").as_deref(), Ok(r#"{"a":1,"a":3}"#));
    }
}
