//! What may have been signed before the body.

use jiff::{Timestamp, fmt::rfc2822};

use crate::explain::request::RecordedRequest;

/// A form of the signed content: what precedes the body in it.
pub(in crate::explain) struct ContentForm {
    pub(in crate::explain) prefix: Vec<u8>,
    /// `None` for the documented form: the timestamp as the header spells it, and a dot.
    pub(in crate::explain) change: Option<String>,
    pub(in crate::explain) fix: &'static str,
}

pub(in crate::explain) const FAMILIES: [&str; 3] = [
    "signed content without the timestamp, or without the dot",
    "a timestamp in milliseconds, or in seconds",
    "the timestamp of another header",
];

const SENDER: &str = "Fix the sender, which is not the service: sign the timestamp as the header spells it, a dot, and the body.";
const HEADER: &str = "Pass X-Pierre-Signature on as it arrived: a proxy rewrote its t.";

/// Returns the forms of the signed content, the documented one first. `timestamp` is the one in the signature header.
pub(in crate::explain) fn forms(request: &RecordedRequest, timestamp: &str) -> Vec<ContentForm> {
    let mut forms = Forms(Vec::new());
    forms.push(None, "", format!("{timestamp}."));
    forms.push(Some("only the body, without the timestamp".to_owned()), SENDER, String::new());
    forms.push(
        Some("the timestamp and the body, without the dot".to_owned()),
        SENDER,
        timestamp.to_owned(),
    );
    if let Ok(seconds) = timestamp.parse::<u64>() {
        forms.push(
            Some("the timestamp without its leading zeros".to_owned()),
            HEADER,
            format!("{seconds}."),
        );
        if let Some(milliseconds) = seconds.checked_mul(1000) {
            forms.push(
                Some("the timestamp in milliseconds".to_owned()),
                SENDER,
                format!("{milliseconds}."),
            );
        }
        let from_milliseconds = format!("{}.", seconds / 1000);
        forms.push(
            Some("the timestamp in seconds (the header has milliseconds)".to_owned()),
            SENDER,
            from_milliseconds,
        );
    }
    for (name, value) in request.pairs() {
        let Ok(value) = str::from_utf8(value) else { continue };
        let value = value.trim();
        let is_number =
            (9..=19).contains(&value.len()) && value.bytes().all(|digit| digit.is_ascii_digit());
        if is_number {
            forms.push(
                Some(format!("the timestamp of the header {name}")),
                HEADER,
                format!("{value}."),
            );
        } else if let Some(at) = date(name, value) {
            let seconds = at.as_second();
            forms.push(
                Some(format!("the time of the header {name}")),
                HEADER,
                format!("{seconds}."),
            );
        }
    }
    forms.0
}

fn date(name: &str, value: &str) -> Option<Timestamp> {
    if name.eq_ignore_ascii_case("date") {
        return rfc2822::DateTimeParser::new().parse_timestamp(value).ok();
    }
    value.parse().ok()
}

/// A list without duplicates.
struct Forms(Vec<ContentForm>);

impl Forms {
    fn push(&mut self, change: Option<String>, fix: &'static str, prefix: String) {
        let prefix = prefix.into_bytes();
        if self.0.iter().all(|form| form.prefix != prefix) {
            self.0.push(ContentForm { prefix, change, fix });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_of_other_headers_are_tried() {
        let mut request = RecordedRequest::from_parts("", "e", "".into());
        for (name, value) in [
            ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("x-request-timestamp", "1790000001"),
            ("content-length", "17"),
            ("x-time", "2026-09-21T14:13:22Z"),
        ] {
            request.headers.push((name.to_owned(), value.into()));
        }
        let prefixes: Vec<_> = forms(&request, "01790000000")
            .into_iter()
            .map(|form| String::from_utf8(form.prefix).unwrap())
            .collect();
        assert_eq!(
            prefixes,
            [
                "01790000000.",
                "",
                "01790000000",
                "1790000000.",
                "1790000000000.",
                "1790000.",
                "784111777.",
                "1790000001.",
                "1790000002.",
            ],
        );
    }
}
