//! Reports each attempt, and a summary at the end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{
    answer_text,
    attempt::{Attempt, AttemptRecord},
    expected_status::ExpectedStatus,
    summary::{self, SummaryRecord},
    tally::{Outcome, Tally},
};
use crate::{
    escape,
    exit::{Exit, Failure},
    output::{BAD, Output, Progress},
};

/// Reports the attempts of a run, and counts them.
pub(crate) struct AttemptReporter {
    output: Arc<Output>,
    /// How an expected answer is described.
    expected: String,
    /// The number of deliveries in the run.
    total: u64,
    is_each_shown: bool,
    tally: Mutex<Tally>,
}

impl AttemptReporter {
    /// In a run of several deliveries, those that go well are only counted.
    pub(crate) fn new(output: Arc<Output>, expected: &ExpectedStatus, total: u64) -> Self {
        Self::start(output, expected.to_string(), total, total == 1)
    }

    /// Shows every attempt of a run in which each delivery has an expected answer of its own.
    pub(crate) fn showing_all(output: Arc<Output>, total: u64) -> Self {
        Self::start(output, "as expected".to_owned(), total, true)
    }

    fn start(output: Arc<Output>, expected: String, total: u64, is_each_shown: bool) -> Self {
        let reporter = Self { output, expected, total, is_each_shown, tally: Mutex::default() };
        reporter.progress();
        reporter
    }

    /// Reports an attempt.
    pub(super) fn attempt(&self, attempt: &Attempt<'_>) -> Result<(), Failure> {
        self.tally().attempted(attempt.answered_in());
        self.output.record(&attempt.record())?;
        if self.is_shown(attempt.outcome) {
            self.output.data(attempt.line())?;
            if let Ok(answer) = attempt.answer
                && self.output.is_verbose()
            {
                self.output.data(answer_text::in_full(answer))?;
            }
        }
        Ok(())
    }

    /// Reports a delivery that could not be read, and counts it.
    pub(crate) fn not_sent(&self, n: u64, why: &str) -> Result<(), Failure> {
        self.output.record(&AttemptRecord {
            n,
            attempt: 0,
            status: None,
            error: Some(why.to_owned()),
            ms: 0.0,
            delivery_id: None,
            signed_at: None,
        })?;
        self.output.data(format_args!("#{n}  {BAD}not sent{BAD:#}  {}", escape::text(why)))?;
        self.ended(Outcome::Unreachable);
        Ok(())
    }

    /// Counts a delivery.
    pub(crate) fn ended(&self, outcome: Outcome) {
        self.tally().ended(outcome);
        self.progress();
    }

    /// Prints the summary. A delivery in progress when Ctrl-C came counts only its attempts.
    pub(crate) fn summary(&self, interrupted: bool) -> Result<Exit, Failure> {
        self.output.end_progress();
        let tally = self.tally().clone();
        self.output.record(&SummaryRecord::new(&tally, interrupted))?;
        if self.total > 1 {
            self.output.data(summary::text(&tally, &self.expected))?;
        }
        Ok(if interrupted { Exit::Interrupted } else { tally.exit() })
    }

    fn is_shown(&self, outcome: Outcome) -> bool {
        self.is_each_shown || outcome != Outcome::AsExpected || self.output.is_verbose()
    }

    fn progress(&self) {
        if self.total > 1 {
            let tally = self.tally();
            let (done, not_as_expected) = (tally.deliveries(), tally.not_as_expected());
            drop(tally);
            self.output.progress(&Progress { done, total: self.total, not_as_expected });
        }
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
