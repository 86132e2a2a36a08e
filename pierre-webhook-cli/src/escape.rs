//! Text from outside, made fit for a terminal: no control byte of it is printed, and none of what reverses or
//! hides text either.

use std::fmt::Write as _;

/// On one line: control characters as `\n`, `\t`, `\u{1b}`; all else as it stands.
pub(crate) fn text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    push(&mut escaped, text);
    escaped
}

/// As [`text`], with bytes that are no UTF-8 as `\xff`.
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

/// As [`text`], cut to so many characters.
pub(crate) fn cut(long: &str, most: usize) -> String {
    match long.char_indices().nth(most) {
        Some((end, _)) => text(long.get(..end).unwrap_or_default()) + "…",
        None => text(long),
    }
}

/// JSON in which the same characters stand as `\u` escapes. They occur inside of its strings alone, where the
/// escape means the same.
pub(crate) fn json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if is_unfit(character) {
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
        if is_unfit(character) {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
}

/// Control characters (C0, DEL, C1), and the format characters that reorder, join or hide text.
fn is_unfit(character: char) -> bool {
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
    fn nothing_that_moves_a_terminal_is_left() {
        for character in ('\0'..=char::MAX).filter(|character| character.is_control()) {
            assert!(text(&character.to_string()).bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        }
        assert_eq!(text("a\x1b[31m\r\n\u{9b}b\u{7f}"), r"a\u{1b}[31m\r\n\u{9b}b\u{7f}");
        assert_eq!(text("\u{202e}evil"), r"\u{202e}evil");
        assert_eq!(text(r#"{"name":"Zoë \" 日本"}"#), r#"{"name":"Zoë \" 日本"}"#);
    }

    #[test]
    fn bytes_that_are_no_utf8_are_shown_as_such() {
        assert_eq!(bytes(b"a\xff\xc3b\x9b"), r"a\xff\xc3b\x9b");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöü\n", 2), "äö…");
    }

    #[test]
    fn escaped_json_means_the_same() {
        let value = serde_json::Value::from("a\x7f\u{85}\u{202e}\u{e0041}\n");
        let escaped = json(&value.to_string());
        assert_eq!(escaped, r#""a\u007f\u0085\u202e\udb40\udc41\n""#);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), value);
    }
}
