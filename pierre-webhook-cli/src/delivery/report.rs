//! What is said of each attempt, and at the end.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::header::{CONTENT_TYPE, LOCATION};
use serde::{Deserialize, Serialize};

use super::{
    expect::Expected,
    run::Signed,
    tally::{Latency, Outcome, Tally},
};
use crate::{
    escape,
    exit::{Exit, Failure},
    http::{Answer, NoAnswer},
    identity,
    output::{BAD, DIM, GOOD, Output},
    progress::Progress,
    time,
};

/// Reports the attempts of a run of deliveries, and keeps the tally.
pub(crate) struct Reporter {
    output: Arc<Output>,
    expected: Expected,
    /// How many deliveries there will be.
    all: u64,
    tally: Mutex<Tally>,
}

/// One attempt, for programs.
#[derive(Serialize)]
struct Record<'a> {
    n: u64,
    attempt: u32,
    /// `null`: no answer.
    status: Option<u16>,
    /// Why there is no answer; else the answer's own words, where it is a refusal that has some.
    error: Option<&'a str>,
    ms: f64,
    delivery_id: Option<String>,
    signed_at: Option<u64>,
}

#[derive(Serialize)]
struct Last {
    summary: Summary,
}

#[derive(Serialize)]
struct Summary {
    deliveries: u64,
    as_expected: u64,
    unexpected: u64,
    unreachable: u64,
    attempts: u64,
    interrupted: bool,
    ms: Option<Latency>,
}

impl Reporter {
    pub(crate) fn new(output: Arc<Output>, expected: Expected, all: u64) -> Self {
        let reporter = Self { output, expected, all, tally: Mutex::default() };
        reporter.progress();
        reporter
    }

    pub(crate) fn attempt(
        &self,
        n: u64,
        attempt: u32,
        delivery: &Signed,
        answer: &Result<Answer, NoAnswer>,
        outcome: Outcome,
        pause: Option<Duration>,
    ) -> Result<(), Failure> {
        let (status, words, took) = match answer {
            Ok(answer) => (Some(answer.status), reason(answer), answer.time),
            Err(none) => (None, Some(none.text.clone()), none.time),
        };
        self.tally().attempted(status.map(|_| took));
        let ms = time::milliseconds(took);
        self.output.record(&Record {
            n,
            attempt,
            status: status.map(|status| status.as_u16()),
            error: words.as_deref(),
            ms,
            delivery_id: delivery.id.map(|id| id.to_string()),
            signed_at: delivery.signed_at,
        })?;
        // Of many, those that went well are counted only.
        if self.all == 1 || outcome != Outcome::AsExpected || self.output.is_verbose() {
            let short = delivery.id.map(identity::short);
            let mut line = format!("#{n}");
            if attempt > 1 {
                let _ = write!(line, " try {attempt}");
            }
            let style = if outcome == Outcome::AsExpected { GOOD } else { BAD };
            let head = status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
            let _ = write!(
                line,
                "  {style}{head}{style:#}  {ms} ms  {DIM}id {}{DIM:#}",
                short.as_deref().unwrap_or("-")
            );
            if let Some(words) = &words {
                let _ = write!(line, "  {}", escape::cut(words, 300));
            }
            if outcome == Outcome::Unexpected {
                let _ = write!(line, "  (expected {})", self.expected);
            }
            if let Some(pause) = pause {
                let _ = write!(line, "  {DIM}next try in {} ms{DIM:#}", pause.as_millis());
            }
            self.output.data(line)?;
            if let (Ok(answer), true) = (answer, self.output.is_verbose()) {
                self.output.data(answer_in_full(answer))?;
            }
        }
        Ok(())
    }

    /// A delivery that could not be made.
    pub(crate) fn nothing_to_send(&self, n: u64, why: &str) -> Result<(), Failure> {
        self.output.record(&Record {
            n,
            attempt: 0,
            status: None,
            error: Some(why),
            ms: 0.0,
            delivery_id: None,
            signed_at: None,
        })?;
        self.output.data(format_args!("#{n}  {BAD}not sent{BAD:#}  {}", escape::text(why)))?;
        self.ended(Outcome::Unreachable);
        Ok(())
    }

    pub(crate) fn ended(&self, outcome: Outcome) {
        self.tally().ended(outcome);
        self.progress();
    }

    /// The last line. What was under way when Ctrl-C came is in no count but that of the attempts.
    pub(crate) fn summary(&self, interrupted: bool) -> Result<Exit, Failure> {
        self.output.end_progress();
        let tally = self.tally().clone();
        let latency = tally.latency();
        self.output.record(&Last {
            summary: Summary {
                deliveries: tally.deliveries(),
                as_expected: tally.as_expected,
                unexpected: tally.unexpected,
                unreachable: tally.unreachable,
                attempts: tally.attempts,
                interrupted,
                ms: latency,
            },
        })?;
        if self.all > 1 {
            self.output.data(in_words(&tally, latency, &self.expected))?;
        }
        Ok(if interrupted { Exit::Interrupted } else { tally.exit() })
    }

    fn progress(&self) {
        if self.all > 1 {
            let tally = self.tally();
            let (done, not_as_expected) = (tally.deliveries(), tally.not_as_expected());
            drop(tally);
            self.output.progress(&Progress { done, all: self.all, not_as_expected });
        }
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn in_words(tally: &Tally, latency: Option<Latency>, expected: &Expected) -> String {
    let mut line = format!(
        "{} of {} deliveries answered {expected}, {} otherwise, {} not at all; {} attempts",
        tally.as_expected,
        tally.deliveries(),
        tally.unexpected,
        tally.unreachable,
        tally.attempts,
    );
    if let Some(Latency { min, p50, p90, p99, max }) = latency {
        let _ = write!(line, "\nms: min {min}, p50 {p50}, p90 {p90}, p99 {p99}, max {max}");
    }
    line
}

/// What the answer itself gives as its reason: the `detail` of problem details, else where it redirects to.
fn reason(answer: &Answer) -> Option<String> {
    #[derive(Deserialize)]
    struct Problem {
        detail: String,
    }
    if answer.status.is_redirection() {
        let location = answer.headers.get(LOCATION)?;
        return Some(format!("to {}, not followed", String::from_utf8_lossy(location.as_bytes())));
    }
    let content_type = answer.headers.get(CONTENT_TYPE)?.to_str().ok()?;
    if !content_type.starts_with(pierre_webhook_core::PROBLEM_JSON) {
        return None;
    }
    serde_json::from_slice::<Problem>(&answer.body).ok().map(|problem| problem.detail)
}

/// Headers and body, each line marked, so that none of them passes for one of ours.
fn answer_in_full(answer: &Answer) -> String {
    let mut lines = Vec::new();
    for (name, value) in &answer.headers {
        lines.push(format!("    < {name}: {}", escape::bytes(value.as_bytes())));
    }
    if !answer.body.is_empty() {
        lines.push("    <".to_owned());
    }
    for line in answer.body.split(|byte| *byte == b'\n').filter(|_| !answer.body.is_empty()) {
        lines.push(format!("    < {}", escape::bytes(line)));
    }
    if answer.is_cut {
        lines.push("    < …".to_owned());
    }
    lines.join("\n")
}
