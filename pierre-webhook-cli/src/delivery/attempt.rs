//! One attempt at a delivery, as JSON and as a line of text.

use std::{fmt::Write as _, time::Duration};

use http::StatusCode;
use serde::Serialize;

use super::{
    answer_text, expected_status::ExpectedStatus, signed_request::SignedRequest, tally::Outcome,
};
use crate::{
    client::{Answer, NoAnswer},
    escape,
    output::{BAD, DIM, GOOD},
    short_id::short_id,
    time,
};

/// An attempt that has ended.
pub(super) struct Attempt<'a> {
    pub(super) n: u64,
    /// From 1.
    pub(super) number: u32,
    pub(super) request: &'a SignedRequest,
    pub(super) answer: &'a Result<Answer, NoAnswer>,
    pub(super) outcome: Outcome,
    pub(super) expected: &'a ExpectedStatus,
    /// The time until the next attempt, if there is one.
    pub(super) pause: Option<Duration>,
}

/// One attempt, as JSON.
#[derive(Serialize)]
pub(super) struct AttemptRecord {
    pub(super) n: u64,
    pub(super) attempt: u32,
    /// `null` if there was no answer.
    pub(super) status: Option<u16>,
    /// Why there was no answer, or the answer's own reason.
    pub(super) error: Option<String>,
    pub(super) ms: f64,
    pub(super) delivery_id: Option<String>,
    pub(super) signed_at: Option<u64>,
}

impl Attempt<'_> {
    /// Returns how long the answer took, if there was one.
    pub(super) fn answered_in(&self) -> Option<Duration> {
        self.answer.as_ref().ok().map(|answer| answer.time)
    }

    pub(super) fn record(&self) -> AttemptRecord {
        AttemptRecord {
            n: self.n,
            attempt: self.number,
            status: self.status().map(|status| status.as_u16()),
            error: self.reason(),
            ms: self.milliseconds(),
            delivery_id: self.request.id.map(|id| id.to_string()),
            signed_at: self.request.signed_at,
        }
    }

    /// Returns the attempt as a line of text.
    pub(super) fn line(&self) -> String {
        let mut line = format!("#{}", self.n);
        if self.number > 1 {
            let _ = write!(line, " try {}", self.number);
        }
        let style = if self.outcome == Outcome::AsExpected { GOOD } else { BAD };
        let status =
            self.status().map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        let id = self.request.id.map_or_else(|| "-".to_owned(), short_id);
        let ms = self.milliseconds();
        let _ = write!(line, "  {style}{status}{style:#}  {ms} ms  {DIM}id {id}{DIM:#}");
        if let Some(reason) = self.reason() {
            let _ = write!(line, "  {}", escape::truncated(&reason, 300));
        }
        if self.outcome == Outcome::Unexpected {
            let _ = write!(line, "  (expected {})", self.expected);
        }
        if let Some(pause) = self.pause {
            let _ = write!(line, "  {DIM}next try in {} ms{DIM:#}", pause.as_millis());
        }
        line
    }

    fn status(&self) -> Option<StatusCode> {
        self.answer.as_ref().ok().map(|answer| answer.status)
    }

    fn reason(&self) -> Option<String> {
        match self.answer {
            Ok(answer) => answer_text::reason(answer),
            Err(no_answer) => Some(no_answer.text.clone()),
        }
    }

    fn milliseconds(&self) -> f64 {
        time::milliseconds(match self.answer {
            Ok(answer) => answer.time,
            Err(no_answer) => no_answer.time,
        })
    }
}
