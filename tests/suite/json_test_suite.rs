//! JSONTestSuite through rule 6: <https://github.com/nst/JSONTestSuite>.
//!
//! `vectors/JSON_TEST_SUITE.md` says where the texts come from. The first letter of a name is what RFC 8259 asks of a
//! parser: `y` must be accepted, `n` must be rejected, `i` may be either.

use std::collections::BTreeMap;

use pierre_webhook_core::Event;
use pierre_webhook_tests::json_test_suite::{Text, texts};

use Answer::{Accepted, Rejected};

/// An event type without fields of its own, so that rule 6 alone decides.
const UNKNOWN: &str = "ping";

const INVALID_JSON: &str = "Invalid JSON payload";

#[derive(Clone, Copy, Debug)]
enum Answer {
    Accepted,
    Rejected,
}

const NUMBER: &str = "The grammar sets no range, and nothing reads the number.";
const SURROGATE: &str =
    "The grammar allows an escaped lone surrogate, and nothing needs the string.";
const DEPTH: &str = "Values that nothing reads may nest to any depth.";
const NOT_UTF8: &str = "The bytes are not UTF-8.";
const UTF16: &str = "The encoding is UTF-16.";
const BOM: &str = "A byte order mark is not white space.";

/// The answer to each text that a parser may accept or reject, and the reason.
const IMPLEMENTATION_DEFINED: [(&str, Answer, &str); 35] = [
    ("i_number_double_huge_neg_exp", Accepted, NUMBER),
    ("i_number_huge_exp", Accepted, NUMBER),
    ("i_number_neg_int_huge_exp", Accepted, NUMBER),
    ("i_number_pos_double_huge_exp", Accepted, NUMBER),
    ("i_number_real_neg_overflow", Accepted, NUMBER),
    ("i_number_real_pos_overflow", Accepted, NUMBER),
    ("i_number_real_underflow", Accepted, NUMBER),
    ("i_number_too_big_neg_int", Accepted, NUMBER),
    ("i_number_too_big_pos_int", Accepted, NUMBER),
    ("i_number_very_big_negative_int", Accepted, NUMBER),
    ("i_object_key_lone_2nd_surrogate", Accepted, SURROGATE),
    ("i_string_1st_surrogate_but_2nd_missing", Accepted, SURROGATE),
    ("i_string_1st_valid_surrogate_2nd_invalid", Accepted, SURROGATE),
    ("i_string_UTF-16LE_with_BOM", Rejected, UTF16),
    ("i_string_UTF-8_invalid_sequence", Rejected, NOT_UTF8),
    ("i_string_UTF8_surrogate_U+D800", Rejected, NOT_UTF8),
    ("i_string_incomplete_surrogate_and_escape_valid", Accepted, SURROGATE),
    ("i_string_incomplete_surrogate_pair", Accepted, SURROGATE),
    ("i_string_incomplete_surrogates_escape_valid", Accepted, SURROGATE),
    ("i_string_invalid_lonely_surrogate", Accepted, SURROGATE),
    ("i_string_invalid_surrogate", Accepted, SURROGATE),
    ("i_string_invalid_utf-8", Rejected, NOT_UTF8),
    ("i_string_inverted_surrogates_U+1D11E", Accepted, SURROGATE),
    ("i_string_iso_latin_1", Rejected, NOT_UTF8),
    ("i_string_lone_second_surrogate", Accepted, SURROGATE),
    ("i_string_lone_utf8_continuation_byte", Rejected, NOT_UTF8),
    ("i_string_not_in_unicode_range", Rejected, NOT_UTF8),
    ("i_string_overlong_sequence_2_bytes", Rejected, NOT_UTF8),
    ("i_string_overlong_sequence_6_bytes", Rejected, NOT_UTF8),
    ("i_string_overlong_sequence_6_bytes_null", Rejected, NOT_UTF8),
    ("i_string_truncated-utf-8", Rejected, NOT_UTF8),
    ("i_string_utf16BE_no_BOM", Rejected, UTF16),
    ("i_string_utf16LE_no_BOM", Rejected, UTF16),
    ("i_structure_500_nested_arrays", Accepted, DEPTH),
    ("i_structure_UTF-8_BOM_empty_object", Rejected, BOM),
];

/// What is wrong with the answer to a text under an event type, if anything.
fn judge(text: &Text, event_type: &str, expected: Answer, why: &str) -> Option<String> {
    let got = Event::from_json(event_type, text.bytes.clone());
    let is_right = match (&got, expected) {
        (Ok(Event::Unknown(event)), Accepted) => event.payload == text.bytes,
        (Err(error), Rejected) => error.to_string() == INVALID_JSON,
        _ => false,
    };
    (!is_right).then(|| {
        format!("{} under {event_type}: expected {expected:?} ({why}), got {got:?}", text.name)
    })
}

#[test]
fn every_text_gets_its_answer() {
    let mut defined: BTreeMap<_, _> = IMPLEMENTATION_DEFINED
        .into_iter()
        .map(|(name, answer, why)| (name, (answer, why)))
        .collect();
    let mut failures = Vec::new();
    let (mut valid, mut invalid, mut either) = (0, 0, 0);
    for text in texts() {
        match text.name.get(..2) {
            Some("y_") => {
                valid += 1;
                failures.extend(judge(&text, UNKNOWN, Accepted, "valid JSON"));
            }
            Some("n_") => {
                invalid += 1;
                for event_type in [UNKNOWN, "push"] {
                    failures.extend(judge(&text, event_type, Rejected, "not JSON"));
                }
            }
            Some("i_") => {
                either += 1;
                match defined.remove(text.name.as_str()) {
                    Some((answer, why)) => failures.extend(judge(&text, UNKNOWN, answer, why)),
                    None => failures.push(format!("{}: not in the table", text.name)),
                }
            }
            _ => failures.push(format!("{}: neither y_, n_ nor i_", text.name)),
        }
    }
    failures.extend(defined.keys().map(|name| format!("{name}: in the table, but no such text")));
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
    assert_eq!((valid, invalid, either), (95, 188, 35));
}
