//! What is said of each case, and at the end.

use serde::Serialize;

use super::{
    cases::Case,
    verdict::{Expected, Got, Words},
};
use crate::{
    escape,
    exit::{Exit, Failure},
    output::{BAD, DIM, GOOD, Output, WARNING},
    progress::Progress,
};

pub(super) struct Reporter<'a> {
    output: &'a Output,
    all: u64,
    passed: u64,
    failed: u64,
    skipped: u64,
    /// A case, or the good delivery after it, failed for want of an answer.
    is_unanswered: bool,
}

/// One case, for programs.
#[derive(Serialize)]
struct Record<'a> {
    case: &'a str,
    expected: Words,
    got: Words,
    /// What a good delivery got afterwards, where it was not accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Words>,
    pass: bool,
}

#[derive(Serialize)]
struct Last {
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

#[derive(Serialize)]
struct Listed<'a> {
    case: &'a str,
    about: &'a str,
}

/// The cases, for who chooses.
pub(super) fn list(output: &Output, cases: &[&Case]) -> Result<(), Failure> {
    for Case { name, about, .. } in cases {
        output.record(&Listed { case: name, about })?;
        output.data(format_args!("{name:<34}{about}"))?;
    }
    Ok(())
}

impl<'a> Reporter<'a> {
    pub(super) fn new(output: &'a Output, cases: usize) -> Self {
        let all = u64::try_from(cases).unwrap_or(u64::MAX);
        Self { output, all, passed: 0, failed: 0, skipped: 0, is_unanswered: false }
    }

    pub(super) fn case(
        &mut self,
        case: &Case,
        expected: &Expected,
        got: &Got,
        after: &Got,
        is_exact: bool,
    ) -> Result<(), Failure> {
        let is_alive = Expected::Accepted.is_met_by(after, false);
        let is_passed = expected.is_met_by(got, is_exact) && is_alive;
        let count = if is_passed { &mut self.passed } else { &mut self.failed };
        *count = count.saturating_add(1);
        self.is_unanswered |= !(is_passed || got.is_answer() && after.is_answer());
        self.output.record(&Record {
            case: case.name,
            expected: expected.words(is_exact),
            got: got.words(),
            after: (!is_alive).then(|| after.words()),
            pass: is_passed,
        })?;
        let got = escape::cut(&got.text(), 200);
        let name = case.name;
        if is_passed {
            self.output.data(format_args!("{GOOD}pass{GOOD:#}  {name:<34}{DIM}{got}{DIM:#}"))?;
        } else {
            let expected = expected.words(is_exact).text();
            self.output.data(format_args!(
                "{BAD}FAIL{BAD:#}  {name:<34}{got}; it must be {expected} ({})",
                case.about
            ))?;
        }
        if !is_alive {
            let after = escape::cut(&after.text(), 200);
            self.output.data(format_args!("      a good delivery afterwards: {after}"))?;
        }
        self.progress();
        Ok(())
    }

    /// A case that these settings leave nothing of.
    pub(super) fn skipped(&mut self, case: &Case) -> Result<(), Failure> {
        self.skipped = self.skipped.saturating_add(1);
        let name = case.name;
        self.output
            .data(format_args!("{WARNING}skip{WARNING:#}  {name:<34}not with these settings"))
    }

    /// A good delivery that is refused, before anything else.
    pub(super) fn stopped_by(&mut self, got: &Got) -> Result<(), Failure> {
        self.failed = self.failed.saturating_add(1);
        self.output.record(&Record {
            case: "good",
            expected: Expected::Accepted.words(false),
            got: got.words(),
            after: None,
            pass: false,
        })?;
        self.output.data(format_args!(
            "{BAD}FAIL{BAD:#}  a good delivery is not accepted: {}\nIs it the right URL, and the receiver's secret?",
            escape::cut(&got.text(), 200)
        ))
    }

    pub(super) fn summary(&self, interrupted: bool) -> Result<Exit, Failure> {
        self.output.end_progress();
        let Self { passed, failed, skipped, .. } = *self;
        let cases = passed.saturating_add(failed).saturating_add(skipped);
        self.output
            .record(&Last { summary: Summary { cases, passed, failed, skipped, interrupted } })?;
        self.output.data(format_args!("{passed} passed, {failed} failed, {skipped} skipped"))?;
        Ok(match (interrupted, self.is_unanswered, failed) {
            (true, ..) => Exit::Interrupted,
            (_, true, _) => Exit::Failed,
            (_, _, 0) => Exit::AsExpected,
            _ => Exit::Negative,
        })
    }

    fn progress(&self) {
        let done = self.passed.saturating_add(self.failed).saturating_add(self.skipped);
        self.output.progress(&Progress { done, all: self.all, not_as_expected: self.failed });
    }
}
