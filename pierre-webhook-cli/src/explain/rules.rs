//! Core's verdict on a request, rule by rule.

use std::{
    cmp::Ordering,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use jiff::Timestamp;
use pierre_webhook_core::{DeliveryHeaders, Error, Verifier};

use super::request::RecordedRequest;

/// The rules in the order in which they are checked.
pub(super) const RULES: [(&str, &str); 10] = [
    ("1", "exactly one X-Pierre-Signature and one X-Pierre-Event header, neither blank"),
    ("2", "the signature is a list with one t and one to eight sha256"),
    ("3", "t is a decimal number"),
    ("4", "signed neither too long ago nor in the future"),
    ("4b", "the body is within the limit"),
    ("4c", "the body is complete"),
    ("5", "one sha256 is the MAC of the body under an accepted secret"),
    ("6", "the body is one JSON value in UTF-8"),
    ("7a", "the body has the event type of the header"),
    ("7b", "the payload has the documented fields"),
];

/// The state of one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Passed,
    Failed,
    NotReached,
}

impl State {
    /// Returns the state of the rule at `index` if the one at `failed` was the first to fail.
    fn of(index: usize, failed: usize) -> Self {
        match index.cmp(&failed) {
            Ordering::Less => Self::Passed,
            Ordering::Equal => Self::Failed,
            Ordering::Greater => Self::NotReached,
        }
    }
}

/// Core's verdict.
#[derive(Debug)]
pub(super) struct Judgment {
    pub(super) states: [State; RULES.len()],
    /// The error of the first rule that failed.
    pub(super) error: Option<Error>,
    /// The error of rule 5, if it failed after rule 4.
    signature_error: Option<Error>,
}

impl Judgment {
    /// Verifies the request at the given time.
    pub(super) fn new(request: &RecordedRequest, verifier: &Verifier, now: Timestamp) -> Self {
        let now = system_time(now);
        let verifier = verifier.clone().clock(move || now);
        let error = verify(request, &verifier).err();
        let failed = error.as_ref().map(rule);
        let mut states = [State::Passed; RULES.len()];
        if let Some(failed) = failed {
            for (index, state) in states.iter_mut().enumerate() {
                *state = State::of(index, failed);
            }
        }
        let mut signature_error = None;
        if failed == Some(AGE) {
            // For an old delivery that is replayed, say whether the age is its only fault.
            let later = verify(request, &verifier.any_age()).err();
            let later_rule = later.as_ref().map_or(RULES.len(), rule);
            if let Some(state) = states.get_mut(SIGNATURE) {
                *state = State::of(SIGNATURE, later_rule);
            }
            signature_error = later.filter(|_| later_rule == SIGNATURE);
        }
        Self { states, error, signature_error }
    }

    /// Returns whether rule 5 failed, alone or after rule 4.
    pub(super) fn is_signature_wrong(&self) -> bool {
        self.signature_error.is_some() || self.error == Some(Error::InvalidSignature)
    }

    /// Returns the error text of a rule that failed, with its position in the body.
    pub(super) fn text(&self, index: usize) -> Option<String> {
        let error = [&self.error, &self.signature_error]
            .into_iter()
            .flatten()
            .find(|error| rule(error) == index)?;
        Some(match error {
            Error::InvalidJson { line, column, .. } => {
                format!("{error} (line {line}, column {column})")
            }
            Error::InvalidPayload { field, line, column, .. } => {
                format!("{error} ({field}; line {line}, column {column})")
            }
            _ => error.to_string(),
        })
    }

    /// Returns the number of the first rule that failed.
    pub(super) fn failed_rule(&self) -> Option<&'static str> {
        let index = self.error.as_ref().map(rule)?;
        RULES.get(index).map(|(number, _)| *number)
    }
}

const AGE: usize = 3;
const SIGNATURE: usize = 6;

/// Returns the index of the rule that an error belongs to.
fn rule(error: &Error) -> usize {
    match error {
        Error::MissingSignatureHeader | Error::MissingEventHeader => 0,
        Error::InvalidSignatureHeader => 1,
        Error::InvalidTimestamp => 2,
        Error::TimestampTooOld { .. } | Error::TimestampInFuture => AGE,
        Error::BodyTooLarge { .. } | Error::BodyTooLargeForServer => 4,
        Error::BodyUnreadable => 5,
        Error::InvalidJson { .. } => 7,
        Error::EventTypeMismatch { .. } => 8,
        Error::InvalidPayload { .. } => 9,
        // `Error` is non-exhaustive. Of the known errors, only rule 5's is left: rule 3b's comes from adapters.
        _ => SIGNATURE,
    }
}

fn verify(request: &RecordedRequest, verifier: &Verifier) -> Result<(), Error> {
    let headers = DeliveryHeaders::parse(request.pairs())?;
    let mut pending = verifier.begin(&headers)?;
    pending.push(request.body.clone())?;
    if request.is_incomplete {
        return Err(Error::BodyUnreadable);
    }
    pending.finish().map(|_| ())
}

fn system_time(at: Timestamp) -> SystemTime {
    let seconds = Duration::from_secs(at.as_second().unsigned_abs());
    let time = if at.as_second() < 0 {
        UNIX_EPOCH.checked_sub(seconds)
    } else {
        UNIX_EPOCH.checked_add(seconds)
    };
    time.unwrap_or(UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use pierre_webhook_core::Secret;

    use super::{State::*, *};

    fn judge(body: &str, signature: &str, event: &str, age: i64) -> Judgment {
        let request = RecordedRequest::from_parts(signature, event, body.to_owned().into());
        let verifier = Verifier::new(Secret::new("s").unwrap()).body_limit(20);
        Judgment::new(
            &request,
            &verifier,
            Timestamp::from_second(age.saturating_add(1_000_000)).unwrap(),
        )
    }

    #[test]
    fn rules_after_the_first_failure_are_not_reached() {
        let sign = |body: &str| Secret::new("s").unwrap().sign(1_000_000, body.as_bytes());
        for (body, signature, event, age, failed) in [
            ("{}", "", "e", 0, "1"),
            ("{}", "x", "e", 0, "2"),
            ("{}", "t=x,sha256=a", "e", 0, "3"),
            ("{}", &sign("{}"), "e", 301, "4"),
            ("012345678901234567890", &sign(""), "e", 0, "4b"),
            ("{}", &sign("{} "), "e", 0, "5"),
            ("{", &sign("{"), "e", 0, "6"),
            (r#"{"type":"push"}"#, &sign(r#"{"type":"push"}"#), "e", 0, "7a"),
            ("{}", &sign("{}"), "push", 0, "7b"),
        ] {
            let judgment = judge(body, signature, event, age);
            assert_eq!(judgment.failed_rule(), Some(failed));
            let index = RULES.iter().position(|(number, _)| *number == failed).unwrap();
            assert!(judgment.states[..index].iter().all(|state| *state == Passed), "{failed}");
            assert_eq!(judgment.states[index], Failed);
            let after = &judgment.states[index.saturating_add(1)..];
            assert!(after.iter().all(|state| *state == NotReached || failed == "4"), "{failed}");
            assert!(judgment.text(index).is_some());
        }
        let judgment = judge("{}", &sign("{}"), "e", 300);
        assert_eq!((judgment.states, judgment.error), ([Passed; 10], None));
    }

    #[test]
    fn the_signature_is_checked_even_if_the_age_fails() {
        let sign = |body: &str| Secret::new("s").unwrap().sign(1_000_000, body.as_bytes());
        let good = judge("{}", &sign("{}"), "e", 999);
        assert_eq!((good.states[SIGNATURE], good.is_signature_wrong()), (Passed, false));
        let bad = judge("{}", &sign("{} "), "e", 999);
        assert_eq!((bad.states[SIGNATURE], bad.is_signature_wrong()), (Failed, true));
        assert_eq!((bad.states[7], bad.failed_rule()), (NotReached, Some("4")));
    }
}
