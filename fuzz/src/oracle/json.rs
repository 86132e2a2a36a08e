//! JSON, by json-event-parser, which reads RFC 8259 in a loop: no depth can exhaust the stack.

use std::{borrow::Cow, sync::LazyLock};

use json_event_parser::{JsonEvent, LowLevelJsonParser};
use regex_lite::{Captures, Regex};

/// A JSON value.
#[derive(Debug)]
pub(super) struct Json {
    pub(super) value: Value,
    /// Whether it is, or has inside, what no type can hold: half of a surrogate pair, or a number that is
    /// infinite as an `f64`.
    pub(super) is_unholdable: bool,
}

#[derive(Debug)]
pub(super) enum Value {
    Null,
    Boolean(bool),
    /// As it is spelled.
    Number(String),
    Text(Text),
    Array,
    /// The members, in objects down to the second level. Nobody reads deeper ones.
    Object(Members),
}

pub(super) type Members = Vec<(Text, Json)>;

/// A string, or `None` if an escape in it is half of a surrogate pair.
pub(super) type Text = Option<String>;

/// `None` if it is not one JSON value with white space around it.
pub(super) fn parse(text: &str) -> Option<Json> {
    // The parser drops a byte order mark.
    if text.starts_with('\u{feff}') {
        return None;
    }
    let (text, half) = mark_halves(text);
    let read = |string: &str| Some(string.to_owned()).filter(|string| !string.contains(half));
    let mut parser = LowLevelJsonParser::new().with_max_stack_size(usize::MAX);
    let mut rest = text.as_bytes();
    // The members of what is open. The first is the root's place.
    let mut open = vec![Members::new()];
    let mut names = vec![Some(String::new())];
    loop {
        let step = parser.parse_next(rest, true);
        rest = &rest[step.consumed_bytes..];
        let (value, is_unholdable) = match step.event?.ok()? {
            JsonEvent::StartArray | JsonEvent::StartObject => {
                open.push(Members::new());
                names.push(Some(String::new()));
                continue;
            }
            JsonEvent::ObjectKey(name) => {
                *names.last_mut()? = read(&name);
                continue;
            }
            JsonEvent::Eof => return open.pop()?.pop().map(|(_, root)| root),
            end @ (JsonEvent::EndArray | JsonEvent::EndObject) => {
                names.pop();
                let mut members = open.pop()?;
                let is_unholdable = members.iter().any(|(n, v)| n.is_none() || v.is_unholdable);
                if open.len() > 2 {
                    members.clear();
                }
                let is_array = matches!(end, JsonEvent::EndArray);
                (if is_array { Value::Array } else { Value::Object(members) }, is_unholdable)
            }
            JsonEvent::Null => (Value::Null, false),
            JsonEvent::Boolean(boolean) => (Value::Boolean(boolean), false),
            JsonEvent::Number(number) => {
                let is_infinite = number.parse::<f64>().is_ok_and(f64::is_infinite);
                (Value::Number(number.into()), is_infinite)
            }
            JsonEvent::String(string) => {
                let text = read(&string);
                let is_half = text.is_none();
                (Value::Text(text), is_half)
            }
        };
        open.last_mut()?.push((names.last()?.clone(), Json { value, is_unholdable }));
    }
}

/// Any escape in a string: two that are one character, half of such a pair, or another.
static ESCAPE: LazyLock<Regex> = LazyLock::new(|| {
    let escapes =
        r"\\u(?i:d[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2})|\\u(?i:d[89a-f][0-9a-f]{2})|\\(?s:.)";
    Regex::new(escapes).expect("it is a regular expression")
});

/// The parser rejects half of a surrogate pair, which RFC 8259 allows. It is replaced by a private character
/// that the text does not have.
fn mark_halves(text: &str) -> (Cow<'_, str>, char) {
    let lower = text.to_ascii_lowercase();
    let is_new = |mark: &char| {
        !text.contains(*mark) && !lower.contains(&format!("\\u{:04x}", u32::from(*mark)))
    };
    let mark = ('\u{e000}'..='\u{f8ff}').find(is_new).expect("a short text");
    if !lower.contains("\\ud") {
        return (text.into(), mark);
    }
    let marked = ESCAPE.replace_all(text, |escape: &Captures<'_>| match &escape[0] {
        half if half.len() == 6 => mark.to_string(),
        other => other.to_owned(),
    });
    (marked, mark)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json_test_suite::texts;

    #[test]
    fn it_is_as_strict_as_rfc_8259_and_no_stricter() {
        for text in texts() {
            let is_json = str::from_utf8(&text.bytes).is_ok_and(|text| parse(text).is_some());
            assert!(is_json || !text.name.starts_with("y_"), "{}", text.name);
            assert!(!is_json || !text.name.starts_with("n_"), "{}", text.name);
        }
        assert!(parse(r#"["\ud800"]"#).is_some() && parse("\u{feff}0").is_none());
    }

    #[test]
    fn two_escapes_may_be_one_character() {
        for (json, expected) in [
            (r#""\ud83d\uDe00""#, Some("\u{1f600}")),
            (r#""\\ud83d\ue000""#, Some("\\ud83d\u{e000}")),
            (r#""\ude00\ud83d""#, None),
            (r#""\ud83d \ude00""#, None),
            (r#""\ud83d\ud83d\ude00""#, None),
        ] {
            let Some(Json { value: Value::Text(text), .. }) = parse(json) else { panic!("{json}") };
            assert_eq!(text.as_deref(), expected, "{json}");
        }
    }

    #[test]
    fn a_value_at_any_depth_can_be_unholdable() {
        for (value, expected) in [("", false), (r#"{"\udc00":1}"#, true), ("-1e999", true)] {
            let (start, end) = ("[".repeat(1_000_000), "]".repeat(1_000_000));
            let json = parse(&format!("{start}{value}{end}"));
            assert_eq!(json.map(|json| json.is_unholdable), Some(expected));
        }
    }
}
