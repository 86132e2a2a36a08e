//! Reports each case, and a summary at the end.

use serde::Serialize;

use super::{
    case::Case,
    case_result::{CaseRecord, CaseResult},
    verdict::{Expectation, Reaction},
};
use crate::{
    escape,
    exit::{Exit, Failure},
    output::{BAD, Output, Progress, WARNING},
};

/// Reports the cases, and counts them.
pub(super) struct CaseReporter<'a> {
    output: &'a Output,
    total: u64,
    passed: u64,
    failed: u64,
    skipped: u64,
    /// Whether a case failed for lack of an answer.
    is_unanswered: bool,
}

/// The last line, as JSON.
#[derive(Serialize)]
struct SummaryRecord {
    summary: Summary,
}

#[derive(Serialize)]
struct Summary {
    cases: u64,
    passed: u64,
    failed: u64,
    skipped: u64,
    interrupted: bool,
}

/// A line of `--list`, as JSON.
#[derive(Serialize)]
struct ListRecord<'a> {
    case: &'a str,
    about: &'a str,
}

/// Lists the cases.
pub(super) fn list(output: &Output, cases: &[&Case]) -> Result<(), Failure> {
    for Case { name, about, .. } in cases {
        output.record(&ListRecord { case: name, about })?;
        output.data(format_args!("{name:<34}{about}"))?;
    }
    Ok(())
}

impl<'a> CaseReporter<'a> {
    pub(super) fn new(output: &'a Output, cases: usize) -> Self {
        let total = u64::try_from(cases).unwrap_or(u64::MAX);
        Self { output, total, passed: 0, failed: 0, skipped: 0, is_unanswered: false }
    }

    /// Reports a case that was sent.
    pub(super) fn case(&mut self, result: &CaseResult<'_>) -> Result<(), Failure> {
        let count = if result.is_passed() { &mut self.passed } else { &mut self.failed };
        *count = count.saturating_add(1);
        self.is_unanswered |= result.is_unanswered();
        self.output.record(&result.record())?;
        self.output.data(result.text())?;
        self.progress();
        Ok(())
    }

    /// Reports a case that doesn't apply under the current settings.
    pub(super) fn skipped(&mut self, case: &Case) -> Result<(), Failure> {
        self.skipped = self.skipped.saturating_add(1);
        let name = case.name;
        self.output.data(format_args!(
            "{WARNING}skip{WARNING:#}  {name:<34}does not apply with these settings"
        ))
    }

    /// Reports that the receiver rejects even a good delivery.
    pub(super) fn good_rejected(&mut self, got: &Reaction) -> Result<(), Failure> {
        self.failed = self.failed.saturating_add(1);
        self.output.record(&CaseRecord {
            case: "good",
            expected: Expectation::Accepted.record(false),
            got: got.record(),
            after: None,
            pass: false,
        })?;
        self.output.data(format_args!(
            "{BAD}FAIL{BAD:#}  a good delivery is not accepted: {}\nCheck the URL and the secret.",
            escape::truncated(&got.text(), 200)
        ))
    }

    /// Prints the summary.
    pub(super) fn summary(&self, interrupted: bool) -> Result<Exit, Failure> {
        self.output.end_progress();
        let Self { passed, failed, skipped, .. } = *self;
        let cases = self.done();
        let summary = Summary { cases, passed, failed, skipped, interrupted };
        self.output.record(&SummaryRecord { summary })?;
        self.output.data(format_args!("{passed} passed, {failed} failed, {skipped} skipped"))?;
        Ok(match (interrupted, self.is_unanswered, failed) {
            (true, ..) => Exit::Interrupted,
            (_, true, _) => Exit::Failed,
            (_, _, 0) => Exit::AsExpected,
            _ => Exit::Negative,
        })
    }

    fn progress(&self) {
        self.output.progress(&Progress {
            done: self.done(),
            total: self.total,
            not_as_expected: self.failed,
        });
    }

    fn done(&self) -> u64 {
        self.passed.saturating_add(self.failed).saturating_add(self.skipped)
    }
}
