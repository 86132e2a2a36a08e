//! What may have been signed in front of the body.

use jiff::{Timestamp, fmt::rfc2822};

use super::request::Request;

/// What stands before the body in what is signed.
pub(super) struct ContentForm {
    pub(super) prefix: Vec<u8>,
    /// `None` for the documented form: the timestamp as it stands in the header, and a dot.
    pub(super) words: Option<String>,
    pub(super) fix: &'static str,
}

pub(super) const FAMILIES: [&str; 3] = [
    "signed content without the timestamp, or without the dot",
    "a timestamp in milliseconds, or in seconds",
    "the timestamp of another header",
];

const SENDER: &str = "Mend the sender, which is not the service: what is signed is the timestamp as it stands in the header, a dot, and the body.";
const HEADER: &str = "Pass X-Pierre-Signature on as it came: something in front rewrote its t.";

/// The documented form first. `timestamp` as it stands in the signature header.
pub(super) fn forms(request: &Request, timestamp: &str) -> Vec<ContentForm> {
    let mut forms = Forms(Vec::new());
    forms.push(None, "", format!("{timestamp}."));
    forms.push(Some("the body alone, without the timestamp".to_owned()), SENDER, String::new());
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
            Some("the timestamp in seconds, where the header has milliseconds".to_owned()),
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

/// Each once.
struct Forms(Vec<ContentForm>);

impl Forms {
    fn push(&mut self, words: Option<String>, fix: &'static str, prefix: String) {
        let prefix = prefix.into_bytes();
        if self.0.iter().all(|form| form.prefix != prefix) {
            self.0.push(ContentForm { prefix, words, fix });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_of_other_headers_are_tried() {
        let mut request = Request::of_parts("", "e", "".into());
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
