//! What may have happened to a secret on its way into the configuration.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use zeroize::Zeroizing;

use crate::hex;
/// A form of a secret.
pub(in crate::explain) struct SecretForm {
    pub(in crate::explain) key: Zeroizing<Vec<u8>>,
    /// How the sender's secret differs from the given one. `None` for the given one.
    pub(in crate::explain) change: Option<&'static str>,
    pub(in crate::explain) fix: &'static str,
}

pub(in crate::explain) const FAMILIES: [&str; 6] = [
    "a secret with white space or a line ending added or removed",
    "a secret in quotes, or without them",
    "a secret with a prefix such as whsec_, or without it",
    "a secret encoded in base64, or decoded from it",
    "a secret encoded in hex, or decoded from it",
    "a file that holds NAME=secret, several lines, or a byte order mark",
];

const TRIM: &str = "Remove the white space around the secret: write its file with `printf %s`, not with echo or an editor that adds a newline.";
const KEEP: &str = "Keep the white space of the secret: pass its bytes unchanged to `Secret::new` or `Secret::from_env`, and trim nothing.";
const UNQUOTE: &str =
    "Remove the quotes: a shell does that, but a .env file or a container's environment may not.";
const QUOTE: &str = "Keep the quotes: they are part of the secret.";
const PREFIX: &str =
    "Pass the secret to `Secret::new` as the subscription shows it, with its prefix.";
const NO_PREFIX: &str =
    "Pass the secret to `Secret::new` without its prefix, as the sender uses it.";
const DECODE: &str =
    "Decode the secret before `Secret::new`: the sender signs with the decoded bytes.";
const ENCODED: &str =
    "Do not decode the secret before `Secret::new`: the sender signs with the encoded text.";
const ALONE: &str = "Pass only the secret to `Secret::new`, not the whole file.";

/// Returns the forms of a secret, the given one first.
pub(in crate::explain) fn forms(secret: &[u8]) -> Vec<SecretForm> {
    let bare = secret.trim_ascii();
    let mut forms = Forms(Vec::new());
    forms.push(None, "", secret.to_vec());
    forms.push_white_space(secret);
    forms.push_quotes(bare);
    forms.push_prefixes(bare);
    forms.push_encodings(secret, bare);
    forms.push_files(secret, bare);
    forms.0
}

/// A list without duplicates and without empty keys.
struct Forms(Vec<SecretForm>);

impl Forms {
    fn push_white_space(&mut self, secret: &[u8]) {
        let trimmed = secret.trim_ascii_end().to_vec();
        self.push(Some("without the white space at its end"), TRIM, trimmed);
        let trimmed = secret.trim_ascii().to_vec();
        self.push(Some("without the white space around it"), TRIM, trimmed);
        for (change, end) in [
            ("with a newline at its end", &b"\n"[..]),
            ("with a CR LF at its end", b"\r\n"),
            ("with a CR at its end", b"\r"),
            ("with a space at its end", b" "),
        ] {
            self.push(Some(change), KEEP, [secret, end].concat());
        }
        self.push(Some("with a space before it"), KEEP, [b" ", secret].concat());
        if let Some(rest) = secret.strip_suffix(b"\n").filter(|rest| !rest.ends_with(b"\r")) {
            self.push(Some("with CR LF instead of its newline"), KEEP, [rest, b"\r\n"].concat());
        }
    }

    fn push_quotes(&mut self, bare: &[u8]) {
        if let [first @ (b'"' | b'\'' | b'`'), inner @ .., last] = bare
            && first == last
        {
            self.push(Some("without the quotes around it"), UNQUOTE, inner.to_vec());
        }
        for (change, quote) in [("in double quotes", b"\""), ("in single quotes", b"'")] {
            self.push(Some(change), QUOTE, [quote, bare, quote].concat());
        }
    }

    fn push_prefixes(&mut self, bare: &[u8]) {
        if let Some(rest) = after(bare, b'_') {
            self.push(Some("without its prefix"), NO_PREFIX, rest.to_vec());
        }
        self.push(Some("with the prefix whsec_"), PREFIX, [b"whsec_", bare].concat());
    }

    fn push_encodings(&mut self, secret: &[u8], bare: &[u8]) {
        let unprefixed = after(bare, b'_');
        for (change, decoded) in [
            ("decoded from base64", base64(bare)),
            ("without its prefix, decoded from base64", unprefixed.and_then(base64)),
            ("decoded from hex", hex::decode(bare)),
            ("without its prefix, decoded from hex", unprefixed.and_then(hex::decode)),
        ] {
            if let Some(decoded) = decoded {
                self.push(Some(change), DECODE, decoded);
            }
        }
        let encoded = STANDARD.encode(secret);
        let prefixed = format!("whsec_{encoded}").into();
        self.push(Some("encoded in base64"), ENCODED, encoded.into());
        self.push(Some("encoded in base64, with the prefix whsec_"), ENCODED, prefixed);
        self.push(Some("encoded in hex"), ENCODED, hex::encode(secret).into());
    }

    fn push_files(&mut self, secret: &[u8], bare: &[u8]) {
        if let Some(rest) = secret.strip_prefix(b"\xef\xbb\xbf") {
            self.push(Some("without the byte order mark"), ALONE, rest.trim_ascii_end().to_vec());
        }
        if let Some(first) = bare.split(|byte| *byte == b'\n').next() {
            self.push(Some("only its first line"), ALONE, first.trim_ascii().to_vec());
        }
        if let Some(value) = after(bare, b'=') {
            let value = match value.trim_ascii() {
                [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => inner,
                value => value,
            };
            self.push(Some("only the part after the ="), ALONE, value.to_vec());
        }
    }

    fn push(&mut self, change: Option<&'static str>, fix: &'static str, key: Vec<u8>) {
        let key = Zeroizing::new(key);
        if !key.is_empty() && self.0.iter().all(|form| form.key != key) {
            self.0.push(SecretForm { key, change, fix });
        }
    }
}

/// Returns what follows the first `separator`.
fn after(bytes: &[u8], separator: u8) -> Option<&[u8]> {
    let at = bytes.iter().position(|byte| *byte == separator)?;
    bytes.get(at.saturating_add(1)..)
}

/// Decodes either alphabet, with or without padding.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    [&alphabet::STANDARD, &alphabet::URL_SAFE]
        .into_iter()
        .find_map(|alphabet| GeneralPurpose::new(alphabet, config).decode(text).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(secret: &str, change: &str, key: &[u8]) {
        let forms = forms(secret.as_bytes());
        let found = forms.iter().find(|form| form.change == Some(change));
        let found = found.unwrap_or_else(|| panic!("{secret:?} has no form {change}"));
        assert_eq!(*found.key, key, "{secret:?} {change}");
        assert!(!found.fix.is_empty());
    }

    #[test]
    fn each_form_of_a_secret_is_tried() {
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
        has("sec", "encoded in base64", b"c2Vj");
        has("sec", "encoded in base64, with the prefix whsec_", b"whsec_c2Vj");
        has("s", "with a space before it", b" s");
        has("sec", "encoded in hex", b"736563");
        has("\u{feff}s", "without the byte order mark", b"s");
        has("s\nmore", "only its first line", b"s");
        has("SECRET='s'\n", "only the part after the =", b"s");
    }

    #[test]
    fn the_given_secret_comes_first_and_no_form_twice() {
        let forms = forms(b"abcd");
        assert_eq!(forms[0].change, None);
        for (index, form) in forms.iter().enumerate() {
            assert!(
                forms[index.saturating_add(1)..].iter().all(|other| other.key != form.key),
                "{:?}",
                form.change
            );
        }
    }
}
