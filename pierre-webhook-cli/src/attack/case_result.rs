//! The result of a case, as JSON and as text.

use serde::Serialize;

use super::{
    case::Case,
    verdict::{Expectation, Reaction, VerdictRecord},
};
use crate::{
    escape,
    output::{BAD, DIM, GOOD},
};

/// A case that was sent.
pub(super) struct CaseResult<'a> {
    pub(super) case: &'a Case,
    pub(super) expected: &'a Expectation,
    pub(super) got: &'a Reaction,
    /// The reaction to the good delivery after the case.
    pub(super) after: &'a Reaction,
    /// Compare status and text too.
    pub(super) is_exact: bool,
}

/// One case, as JSON.
#[derive(Serialize)]
pub(super) struct CaseRecord<'a> {
    pub(super) case: &'a str,
    pub(super) expected: VerdictRecord,
    pub(super) got: VerdictRecord,
    /// The reaction to the good delivery after the case, if it was not accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<VerdictRecord>,
    pub(super) pass: bool,
}

impl CaseResult<'_> {
    pub(super) fn is_passed(&self) -> bool {
        self.expected.is_met_by(self.got, self.is_exact) && self.is_alive()
    }

    /// Returns whether the case failed because it or the good delivery after it got no answer.
    pub(super) fn is_unanswered(&self) -> bool {
        !(self.is_passed() || self.got.is_answer() && self.after.is_answer())
    }

    pub(super) fn record(&self) -> CaseRecord<'_> {
        CaseRecord {
            case: self.case.name,
            expected: self.expected.record(self.is_exact),
            got: self.got.record(),
            after: (!self.is_alive()).then(|| self.after.record()),
            pass: self.is_passed(),
        }
    }

    /// Returns the result as one or two lines of text.
    pub(super) fn text(&self) -> String {
        let Case { name, about, .. } = self.case;
        let got = escape::truncated(&self.got.text(), 200);
        let mut text = if self.is_passed() {
            format!("{GOOD}pass{GOOD:#}  {name:<34}{DIM}{got}{DIM:#}")
        } else {
            let expected = self.expected.record(self.is_exact).text();
            format!("{BAD}FAIL{BAD:#}  {name:<34}{got}; it must be {expected} ({about})")
        };
        if !self.is_alive() {
            let after = escape::truncated(&self.after.text(), 200);
            text.push_str(&format!("\n      a good delivery afterwards: {after}"));
        }
        text
    }

    /// Returns whether the server still accepts good deliveries.
    fn is_alive(&self) -> bool {
        Expectation::Accepted.is_met_by(self.after, false)
    }
}
