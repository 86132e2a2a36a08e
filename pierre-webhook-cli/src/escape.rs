//! Escapes text from outside before it is printed: control characters, and characters that reorder or hide text.

use std::fmt::Write as _;

/// Escapes control characters as `\n`, `\t` or `\u{1b}`, so that the text stays on one line.
pub(crate) fn text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    push(&mut escaped, text);
    escaped
}

/// Like [`text`], and escapes bytes that are not UTF-8 as `\xff`.
pub(crate) fn bytes(bytes: &[u8]) -> String {
    let mut escaped = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        push(&mut escaped, chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(escaped, "\\x{byte:02x}");
        }
    }
    escaped
}

/// Like [`text`], and truncates to `max` characters.
pub(crate) fn truncated(long: &str, max: usize) -> String {
    match long.char_indices().nth(max) {
        Some((end, _)) => text(long.get(..end).unwrap_or_default()) + "…",
        None => text(long),
    }
}

/// Escapes the same characters in JSON, as `\uXXXX`. They occur only in its strings, so the value stays the same.
pub(crate) fn json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if needs_escape(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(character);
        }
    }
    escaped
}

fn push(escaped: &mut String, text: &str) {
    for character in text.chars() {
        if needs_escape(character) {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
}

/// Returns whether this is a control character (C0, DEL, C1) or a format character that reorders, joins or hides
/// text.
fn needs_escape(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_format_characters_are_escaped() {
        for character in ('\0'..=char::MAX).filter(|character| character.is_control()) {
            assert!(text(&character.to_string()).bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        }
        assert_eq!(text("a\x1b[31m\r\n\u{9b}b\u{7f}"), r"a\u{1b}[31m\r\n\u{9b}b\u{7f}");
        assert_eq!(text("\u{202e}evil"), r"\u{202e}evil");
        assert_eq!(text(r#"{"name":"Zoë \" 日本"}"#), r#"{"name":"Zoë \" 日本"}"#);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_escaped() {
        assert_eq!(bytes(b"a\xff\xc3b\x9b"), r"a\xff\xc3b\x9b");
    }

    #[test]
    fn a_long_text_is_truncated_between_characters() {
        assert_eq!(truncated("äöü", 3), "äöü");
        assert_eq!(truncated("äöü\n", 2), "äö…");
    }

    #[test]
    fn escaped_json_parses_to_the_same_value() {
        let value = serde_json::Value::from("a\x7f\u{85}\u{202e}\u{e0041}\n");
        let escaped = json(&value.to_string());
        assert_eq!(escaped, r#""a\u007f\u0085\u202e\udb40\udc41\n""#);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), value);
    }
}
