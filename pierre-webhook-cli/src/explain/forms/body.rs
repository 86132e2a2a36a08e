//! What may have happened to a body on its way.

use std::collections::HashSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;

use super::json::{Node, Style, write};
use crate::hex;

/// A form of a body.
pub(in crate::explain) struct BodyForm {
    pub(in crate::explain) bytes: Bytes,
    /// How the signed body differs from the one at hand. `None` for the body at hand.
    pub(in crate::explain) change: Option<String>,
    pub(in crate::explain) fix: &'static str,
    /// Not combined with other changes.
    pub(in crate::explain) is_alone: bool,
}

pub(in crate::explain) const FAMILIES: [&str; 8] = [
    "a body that was parsed and rewritten",
    "a trailing newline added or removed",
    "line endings converted between LF and CR LF",
    "a byte order mark added or removed",
    "invalid UTF-8 replaced",
    "an empty body",
    "a body encoded in base64, or decoded from it",
    "a body encoded as a form, or decoded from it",
];

const REWRITTEN: &str = "Verify the bytes that arrived: put `VerifyWebhookLayer` (axum) outside whatever parses the body, or take `Webhook` (actix) before it, and keep proxies from rewriting the body.";
const NEWLINE: &str = "Verify the bytes that arrived, with no newline added or trimmed: let `VerifyWebhookLayer` (axum) or `Webhook` (actix) read the body itself.";
const LINES: &str = "Keep the body binary: something converts its line endings before `VerifyWebhookLayer` (axum) or `Webhook` (actix) reads it.";
const TEXT: &str = "Verify bytes, not text: let `VerifyWebhookLayer` (axum) or `Webhook` (actix) read the body before anything decodes it.";
const EMPTY: &str = "Something else has already read the body: put `VerifyWebhookLayer` (axum) outside it, or take `Webhook` (actix) as the first extractor.";
const ENCODED: &str = "Pass the body on as it arrived: a gateway encoded or decoded it (turn off its binary or form handling).";

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Larger bodies have no other forms: making them would use up the time of the search.
pub(in crate::explain) const LARGEST: usize = 16 << 20;

/// Larger bodies are not rewritten as JSON.
pub(in crate::explain) const LARGEST_JSON: usize = 1 << 20;

/// Returns the families that are not tried for a body of this length.
pub(in crate::explain) fn untried(length: usize) -> &'static [&'static str] {
    match length {
        length if length > LARGEST => &FAMILIES,
        length if length > LARGEST_JSON => &FAMILIES[..1],
        _ => &[],
    }
}

/// Returns the forms of a body: first the body itself, then the likelier ones.
pub(in crate::explain) fn forms(body: &Bytes) -> Vec<BodyForm> {
    let mut forms = Forms { list: Vec::new(), seen: HashSet::new() };
    forms.push(None, "", body.to_vec(), false);
    if body.len() <= LARGEST {
        forms.push_white_space(body);
        forms.push_text(body);
        if body.len() <= LARGEST_JSON {
            forms.push_json(body);
        }
        forms.push_change("an empty body", EMPTY, Vec::new());
        forms.push_encodings(body);
    }
    forms.list
}

/// A list without duplicates.
struct Forms {
    list: Vec<BodyForm>,
    seen: HashSet<Bytes>,
}

impl Forms {
    fn push_white_space(&mut self, body: &[u8]) {
        self.push_change("with a newline at its end", NEWLINE, [body, b"\n"].concat());
        self.push_change("with a CR LF at its end", NEWLINE, [body, b"\r\n"].concat());
        if let Some(rest) = body.strip_suffix(b"\n") {
            self.push_change("without the newline at its end", NEWLINE, rest.to_vec());
            let rest = rest.strip_suffix(b"\r").unwrap_or(rest);
            self.push_change("without the CR LF at its end", NEWLINE, rest.to_vec());
        }
        let trimmed = body.trim_ascii_end().to_vec();
        self.push_change("without the white space at its end", NEWLINE, trimmed);
        let trimmed = body.trim_ascii().to_vec();
        self.push_change("without the white space around it", NEWLINE, trimmed);

        let with_lf = replace(body, b"\r\n", b"\n");
        self.push_change("with CR LF instead of LF", LINES, replace(&with_lf, b"\n", b"\r\n"));
        self.push_change("with LF instead of CR LF", LINES, with_lf);
    }

    fn push_text(&mut self, body: &[u8]) {
        if let Some(rest) = body.strip_prefix(BYTE_ORDER_MARK) {
            self.push_change("without the byte order mark", TEXT, rest.to_vec());
        }
        self.push_change("with a byte order mark", TEXT, [BYTE_ORDER_MARK, body].concat());
        let lossy = String::from_utf8_lossy(body).into_owned();
        self.push_change("with invalid UTF-8 replaced by U+FFFD", TEXT, lossy.into());
    }

    fn push_json(&mut self, body: &[u8]) {
        let text = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
        let Some(node) = str::from_utf8(text).ok().and_then(Node::parse) else { return };
        for style in Style::all() {
            self.push(Some(style.description()), REWRITTEN, write(&node, style).into(), false);
        }
    }

    fn push_encodings(&mut self, body: &[u8]) {
        if let Ok(decoded) = STANDARD.decode(body.trim_ascii()) {
            self.push_encoding("decoded from base64", decoded);
        }
        self.push_encoding("encoded in base64", STANDARD.encode(body).into());
        self.push_encoding("decoded as a form", form_decode(body));
        if let Some(at) = body.iter().position(|byte| *byte == b'=') {
            let value = body.get(at.saturating_add(1)..).unwrap_or_default();
            self.push_encoding("the value of a form field", form_decode(value));
        }
        let encoded = form_encode(body);
        let field = [b"payload=", &encoded[..]].concat();
        self.push_encoding("encoded as a form", encoded);
        self.push_encoding("the form field payload", field);
    }

    fn push_change(&mut self, change: &str, fix: &'static str, bytes: Vec<u8>) {
        self.push(Some(change.to_owned()), fix, bytes, false);
    }

    fn push_encoding(&mut self, change: &str, bytes: Vec<u8>) {
        self.push(Some(change.to_owned()), ENCODED, bytes, true);
    }

    fn push(&mut self, change: Option<String>, fix: &'static str, bytes: Vec<u8>, is_alone: bool) {
        let bytes = Bytes::from(bytes);
        if self.seen.insert(bytes.clone()) {
            self.list.push(BodyForm { bytes, change, fix, is_alone });
        }
    }
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(byte) = rest.first() {
        if let Some(after) = rest.strip_prefix(from) {
            replaced.extend_from_slice(to);
            rest = after;
        } else {
            replaced.push(*byte);
            rest = rest.get(1..).unwrap_or_default();
        }
    }
    replaced
}

fn form_decode(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after.get(..2).and_then(hex::decode)) {
            (b'%', Some(byte)) => {
                decoded.extend(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            (b'+', _) => decoded.push(b' '),
            (byte, _) => decoded.push(*byte),
        }
    }
    decoded
}

fn form_encode(bytes: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b' ' => encoded.push(b'+'),
            byte if byte.is_ascii_alphanumeric() || b"*-._".contains(byte) => encoded.push(*byte),
            byte => encoded.extend(format!("%{byte:02X}").bytes()),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(body: &[u8], change: &str, form: &[u8]) {
        let forms = forms(&Bytes::copy_from_slice(body));
        let found = forms.iter().find(|other| other.bytes == form);
        let found = found.unwrap_or_else(|| panic!("{} has no form {change}", body.escape_ascii()));
        assert_eq!(found.change.as_deref(), Some(change), "{}", body.escape_ascii());
    }

    #[test]
    fn each_form_of_a_body_is_tried() {
        has(b"[]", "with a newline at its end", b"[]\n");
        has(b"[]\n", "without the newline at its end", b"[]");
        has(b"[]\r\n", "without the CR LF at its end", b"[]");
        has(b"[\n1]", "with CR LF instead of LF", b"[\r\n1]");
        has(b"[\r\n1]", "with LF instead of CR LF", b"[\n1]");
        has(b"\xef\xbb\xbf[]", "without the byte order mark", b"[]");
        has(b"[]", "with a byte order mark", b"\xef\xbb\xbf[]");
        has(b"\xff", "with invalid UTF-8 replaced by U+FFFD", "\u{fffd}".as_bytes());
        has(b"{\"a\": 1}", "written compactly", b"{\"a\":1}");
        has(
            b"{\"b\":1,\"a\":\"/\"}",
            "written with a space after , and :, members sorted",
            b"{\"a\": \"/\", \"b\": 1}",
        );
        has(b"[]", "an empty body", b"");
        has(b"W10=\n", "decoded from base64", b"[]");
        has(b"[]", "encoded in base64", b"W10=");
        has(b"a%5B+%5d", "decoded as a form", b"a[ ]");
        has(b"payload=%5B%5D", "the value of a form field", b"[]");
        has(b"[1 2]", "encoded as a form", b"%5B1+2%5D");
        has(b"[1 2]", "the form field payload", b"payload=%5B1+2%5D");
    }

    #[test]
    fn the_body_itself_comes_first_and_no_form_twice() {
        let forms = forms(&Bytes::from_static(b"[]"));
        assert!(forms[0].change.is_none() && forms[0].bytes == "[]");
        assert!(forms[1..].iter().all(|form| form.change.is_some() && form.bytes != "[]"));
    }
}
