//! The result of a forward.

use std::{fmt::Write as _, time::Duration};

use serde::Serialize;

use crate::{
    client::Answer,
    delivery::answer_text,
    escape,
    output::{BAD, WARNING},
    time,
};

/// The result of a forward.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Forwarded {
    /// `null` if there was no answer.
    pub(super) status: Option<u16>,
    ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// The delivery waits for the application.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) held: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<ShownAnswer>,
}

/// An answer, for `--show-answer`.
#[derive(Clone, Debug, Serialize)]
struct ShownAnswer {
    headers: Vec<(String, String)>,
    /// The start of the body. What isn't UTF-8 is replaced.
    body: String,
    body_bytes: usize,
    #[serde(skip)]
    lines: String,
}

impl Forwarded {
    pub(super) fn answered(answer: &Answer, is_shown: bool) -> Self {
        Self {
            status: Some(answer.status.as_u16()),
            ms: time::milliseconds(answer.time),
            error: None,
            held: false,
            answer: is_shown.then(|| ShownAnswer::new(answer)),
        }
    }

    pub(super) fn failed(why: &str, time: Duration) -> Self {
        let ms = time::milliseconds(time);
        Self { status: None, ms, error: Some(why.to_owned()), held: false, answer: None }
    }

    pub(super) fn held(why: &str, time: Duration) -> Self {
        Self { held: true, ..Self::failed(why, time) }
    }

    /// Appends what a line of text says about it.
    pub(super) fn push_to(&self, line: &mut String) {
        let (ms, error) = (self.ms, self.error.as_deref().unwrap_or_default());
        let error = escape::truncated(error, 200);
        let _ = match self.status {
            Some(status) => write!(line, "  forward {status} in {ms} ms"),
            None if self.held => write!(line, "  {WARNING}held{WARNING:#}: {error}"),
            None => write!(line, "  {BAD}forward failed{BAD:#} in {ms} ms: {error}"),
        };
    }

    /// Returns the lines of `--show-answer`.
    pub(super) fn answer_lines(&self) -> Option<&str> {
        let answer = self.answer.as_ref()?;
        (!answer.lines.is_empty()).then_some(&answer.lines)
    }
}

impl ShownAnswer {
    fn new(answer: &Answer) -> Self {
        /// Enough to see an application's own error.
        const START: usize = 1 << 10;
        let is_truncated = answer.is_truncated || answer.body.len() > START;
        let start = answer.body.slice(..answer.body.len().min(START));
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let headers = answer.headers.iter();
        Self {
            headers: headers
                .map(|(name, value)| (name.to_string(), text(value.as_bytes())))
                .collect(),
            body: text(&start),
            body_bytes: answer.body.len(),
            lines: answer_text::in_full(&Answer {
                status: answer.status,
                headers: answer.headers.clone(),
                body: start,
                is_truncated,
                time: answer.time,
            }),
        }
    }
}
