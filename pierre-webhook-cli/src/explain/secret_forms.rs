//! What may have been done to a secret between the service and the configuration.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use zeroize::Zeroizing;

/// Another form of a secret.
pub(super) struct SecretForm {
    pub(super) key: Zeroizing<Vec<u8>>,
    /// In words: what the sender's secret is, seen from the given one. `None` for the given one itself.
    pub(super) words: Option<&'static str>,
    pub(super) fix: &'static str,
}

pub(super) const FAMILIES: [&str; 6] = [
    "a secret with white space or a line ending added or removed",
    "a secret in quotes, or without them",
    "a secret with a prefix such as whsec_, or without it",
    "a secret decoded from base64, or written in it",
    "a secret decoded from hex, or written in it",
    "a file that holds NAME=secret, several lines, or a byte order mark",
];

const TRIM: &str = "Give the secret without the white space around it: write its file with `printf %s`, not with echo or an editor that ends the line.";
const KEEP: &str = "Give the secret with its white space: take its bytes as they stand (`Secret::new`, `Secret::from_env`) and trim nothing.";
const UNQUOTE: &str = "Give the secret without the quotes: a shell removes them, a .env file or a container's environment may not.";
const QUOTE: &str = "Give the secret with its quotes, which are a part of it.";
const PREFIX: &str =
    "Give the secret as the subscription shows it, prefix included, to `Secret::new`.";
const NO_PREFIX: &str = "Give `Secret::new` the secret without the prefix, as the sender uses it.";
const DECODE: &str =
    "Decode the secret before `Secret::new`: the sender signs with the decoded bytes.";
const ENCODED: &str =
    "Do not decode the secret before `Secret::new`: the sender signs with the text as it stands.";
const ALONE: &str = "Give `Secret::new` the secret alone, not the whole file around it.";

/// The given secret first.
pub(super) fn forms(secret: &[u8]) -> Vec<SecretForm> {
    let mut forms = Forms(Vec::new());
    forms.push(None, "", secret.to_vec());

    forms.push(Some("without the white space at its end"), TRIM, secret.trim_ascii_end().to_vec());
    forms.push(Some("without the white space around it"), TRIM, secret.trim_ascii().to_vec());
    for (words, end) in [
        ("with a newline at its end", &b"\n"[..]),
        ("with a CR LF at its end", b"\r\n"),
        ("with a CR at its end", b"\r"),
        ("with a space at its end", b" "),
    ] {
        forms.push(Some(words), KEEP, [secret, end].concat());
    }
    forms.push(Some("with a space before it"), KEEP, [b" ", secret].concat());
    if let Some(rest) = secret.strip_suffix(b"\n").filter(|rest| !rest.ends_with(b"\r")) {
        forms.push(Some("with CR LF in the place of its newline"), KEEP, [rest, b"\r\n"].concat());
    }

    let bare = secret.trim_ascii();
    if let [first @ (b'"' | b'\'' | b'`'), inner @ .., last] = bare
        && first == last
    {
        forms.push(Some("without the quotes around it"), UNQUOTE, inner.to_vec());
    }
    for (words, quote) in [("in double quotes", b"\""), ("in single quotes", b"'")] {
        forms.push(Some(words), QUOTE, [quote, bare, quote].concat());
    }

    let unprefixed =
        bare.iter().position(|byte| *byte == b'_').and_then(|at| bare.get(at.saturating_add(1)..));
    if let Some(rest) = unprefixed {
        forms.push(Some("without its prefix"), NO_PREFIX, rest.to_vec());
    }
    forms.push(Some("with the prefix whsec_"), PREFIX, [b"whsec_", bare].concat());

    for (words, text) in [
        ("decoded from base64", Some(bare)),
        ("without its prefix, decoded from base64", unprefixed),
    ] {
        if let Some(decoded) = text.and_then(base64) {
            forms.push(Some(words), DECODE, decoded);
        }
    }
    for (words, text) in
        [("decoded from hex", Some(bare)), ("without its prefix, decoded from hex", unprefixed)]
    {
        if let Some(decoded) = text.and_then(hex) {
            forms.push(Some(words), DECODE, decoded);
        }
    }
    let encoded = STANDARD.encode(secret);
    let prefixed = format!("whsec_{encoded}").into();
    forms.push(Some("written in base64"), ENCODED, encoded.into());
    forms.push(Some("written in base64, with the prefix whsec_"), ENCODED, prefixed);
    let digits: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    forms.push(Some("written in hex"), ENCODED, digits.into());

    if let Some(rest) = secret.strip_prefix(b"\xef\xbb\xbf") {
        forms.push(Some("without the byte order mark"), ALONE, rest.trim_ascii_end().to_vec());
    }
    let mut lines = bare.split(|byte| *byte == b'\n');
    if let Some(first) = lines.next() {
        forms.push(Some("its first line alone"), ALONE, first.trim_ascii().to_vec());
    }
    if let Some(at) = bare.iter().position(|byte| *byte == b'=') {
        let value = bare.get(at.saturating_add(1)..).unwrap_or_default().trim_ascii();
        let value = match value {
            [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => inner,
            value => value,
        };
        forms.push(Some("what follows the = alone"), ALONE, value.to_vec());
    }
    forms.0
}

/// Each key once, and no empty one.
struct Forms(Vec<SecretForm>);

impl Forms {
    fn push(&mut self, words: Option<&'static str>, fix: &'static str, key: Vec<u8>) {
        let key = Zeroizing::new(key);
        if !key.is_empty() && self.0.iter().all(|form| form.key != key) {
            self.0.push(SecretForm { key, words, fix });
        }
    }
}

/// Of either alphabet, padded or not.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    [&alphabet::STANDARD, &alphabet::URL_SAFE]
        .into_iter()
        .find_map(|alphabet| GeneralPurpose::new(alphabet, config).decode(text).ok())
}

fn hex(text: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_chunks::<2>();
    if !rest.is_empty() || !text.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let byte = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    pairs.iter().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(secret: &str, words: &str, key: &[u8]) {
        let forms = forms(secret.as_bytes());
        let found = forms.iter().find(|form| form.words == Some(words));
        let found = found.unwrap_or_else(|| panic!("{secret:?} has no form {words}"));
        assert_eq!(*found.key, key, "{secret:?} {words}");
        assert!(!found.fix.is_empty());
    }

    #[test]
    fn the_forms_found_in_the_wild_are_tried() {
        has("s\r\n", "without the white space at its end", b"s");
        has(" s\n", "without the white space around it", b"s");
        has("s", "with a newline at its end", b"s\n");
        has("s", "with a CR LF at its end", b"s\r\n");
        has("\"s\"\n", "without the quotes around it", b"s");
        has("s", "in double quotes", b"\"s\"");
        has("whsec_c2Vj", "without its prefix", b"c2Vj");
        has("c2Vj", "with the prefix whsec_", b"whsec_c2Vj");
        has("c2Vj", "decoded from base64", b"sec");
        has("_-8=", "decoded from base64", b"\xff\xef");
        has("whsec_c2Vj", "without its prefix, decoded from base64", b"sec");
        has("736563", "decoded from hex", b"sec");
        has("sec", "written in base64", b"c2Vj");
        has("sec", "written in base64, with the prefix whsec_", b"whsec_c2Vj");
        has("s", "with a space before it", b" s");
        has("sec", "written in hex", b"736563");
        has("\u{feff}s", "without the byte order mark", b"s");
        has("s\nmore", "its first line alone", b"s");
        has("SECRET='s'\n", "what follows the = alone", b"s");
    }

    #[test]
    fn each_key_is_tried_once_and_the_given_one_first() {
        let forms = forms(b"abcd");
        assert_eq!(forms[0].words, None);
        for (index, form) in forms.iter().enumerate() {
            assert!(
                forms[index.saturating_add(1)..].iter().all(|other| other.key != form.key),
                "{:?}",
                form.words
            );
        }
    }
}
