//! JSON, by json-event-parser, which reads RFC 8259 in a loop: no depth can exhaust the stack.

use json_event_parser::{JsonEvent, LowLevelJsonParser};

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

/// The parser rejects half of a surrogate pair, which RFC 8259 allows. It is replaced by a private character
/// that the text does not have.
fn mark_halves(text: &str) -> (String, char) {
    let is_new = |mark: &char| {
        let code = u32::from(*mark);
        !text.contains(*mark) && !text.to_ascii_lowercase().contains(&format!("\\u{code:04x}"))
    };
    let mark = ('\u{e000}'..='\u{f8ff}').find(is_new).expect("a short text");
    let unit = |escape: &str| u16::from_str_radix(escape.strip_prefix("\\u")?.get(..4)?, 16).ok();
    let mut marked = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('\\') {
        let escape = &rest[start..];
        let length = match unit(escape) {
            Some(0xd800..=0xdbff) if matches!(unit(&escape[6..]), Some(0xdc00..=0xdfff)) => 12,
            Some(0xd800..=0xdfff) => 6,
            _ => escape.char_indices().nth(2).map_or(escape.len(), |(end, _)| end),
        };
        marked += &rest[..start];
        match length {
            6 => marked.push(mark),
            _ => marked += &escape[..length],
        }
        rest = &escape[length..];
    }
    (marked + rest, mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_as_strict_as_rfc_8259_and_no_stricter() {
        for json in
            [r#"{"a":1,"a":2}"#, " \t\r\n[ ] ", "-0", "1E400", r#""\u00e9é\"\/\ud800""#, "\"\x7f\""]
        {
            assert!(parse(json).is_some(), "{json}");
        }
        for other in
            ["", "01", "1.", "NaN", "[1,]", "\"\n\"", r#""\u12g4""#, "\u{feff}0", "1 2", "\x0c0"]
        {
            assert!(parse(other).is_none(), "{other}");
        }
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
        let deep = |value: &str| {
            let (start, end) = ("[".repeat(1_000_000), "]".repeat(1_000_000));
            parse(&format!("{start}{value}{end}")).map(|json| json.is_unholdable)
        };
        assert_eq!(deep(""), Some(false));
        assert_eq!(deep(r#"{"\udc00":1}"#), Some(true));
        assert_eq!(deep("-1e999"), Some(true));
    }
}
