//! How a receiver must react to a case, and how it did.

use pierre_webhook_core::Error;
use serde::Serialize;

/// How the receiver must react.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expectation {
    /// 2xx.
    Accepted,
    /// 4xx. With `--exact`, the status and text of this error.
    Rejected(Error),
    /// 4xx, or a closed connection: a sender that broke off doesn't need an answer.
    NotAccepted,
}

/// How the receiver reacted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reaction {
    /// The status, and the reason in the answer.
    Answer(u16, Option<String>),
    /// Closed without an answer.
    Closed,
    /// No complete answer in time.
    TimedOut,
    /// No connection.
    Unreachable(String),
}

/// An expectation or a reaction, as JSON.
#[derive(Serialize)]
pub(super) struct VerdictRecord {
    verdict: &'static str,
    status: Option<u16>,
    text: Option<String>,
}

impl Expectation {
    pub(super) fn is_met_by(&self, got: &Reaction, is_exact: bool) -> bool {
        match (self, got) {
            (Self::Accepted, Reaction::Answer(200..=299, _)) => true,
            (Self::Rejected(error), Reaction::Answer(status @ 400..=499, text)) => {
                !is_exact
                    || (*status == error.status_code() && is_same_text(error, text.as_deref()))
            }
            (Self::NotAccepted, Reaction::Answer(400..=499, _) | Reaction::Closed) => true,
            _ => false,
        }
    }

    pub(super) fn record(&self, is_exact: bool) -> VerdictRecord {
        match self {
            Self::Accepted => VerdictRecord { verdict: "accepted", status: None, text: None },
            Self::Rejected(error) if is_exact => VerdictRecord {
                verdict: "refused",
                status: Some(error.status_code()),
                text: Some(error.to_string()),
            },
            Self::Rejected(_) => VerdictRecord { verdict: "refused", status: None, text: None },
            Self::NotAccepted => {
                VerdictRecord { verdict: "not accepted", status: None, text: None }
            }
        }
    }
}

/// Doesn't compare the age in the text: a second may pass before the server reads its clock.
fn is_same_text(error: &Error, text: Option<&str>) -> bool {
    let Some(text) = text else { return false };
    match error {
        Error::TimestampTooOld { .. } => text.starts_with("Webhook timestamp too old ("),
        _ => text == error.to_string(),
    }
}

impl Reaction {
    pub(super) fn is_answer(&self) -> bool {
        matches!(self, Self::Answer(..))
    }

    pub(super) fn record(&self) -> VerdictRecord {
        let (verdict, status, text) = match self {
            Self::Answer(status, text) => {
                let verdict = match status {
                    200..=299 => "accepted",
                    400..=499 => "refused",
                    _ => "failed",
                };
                (verdict, Some(*status), text.clone())
            }
            Self::Closed => ("closed", None, None),
            Self::TimedOut => ("timed out", None, None),
            Self::Unreachable(text) => ("unreachable", None, Some(text.clone())),
        };
        VerdictRecord { verdict, status, text }
    }

    pub(super) fn text(&self) -> String {
        self.record().text()
    }
}

impl VerdictRecord {
    /// Returns the text for people. It is not escaped, and part of it may come from the server.
    pub(super) fn text(&self) -> String {
        let status = self.status.map(|status| status.to_string());
        let parts = [Some(self.verdict), status.as_deref(), self.text.as_deref()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_2xx_accepts_and_only_4xx_rejects() {
        let rejected = Expectation::Rejected(Error::InvalidSignature);
        for (status, is_accepted, is_rejected) in [
            (200, true, false),
            (204, true, false),
            (301, false, false),
            (400, false, true),
            (500, false, false),
        ] {
            let got = Reaction::Answer(status, None);
            assert_eq!(Expectation::Accepted.is_met_by(&got, true), is_accepted, "{status}");
            assert_eq!(rejected.is_met_by(&got, false), is_rejected, "{status}");
            assert_eq!(Expectation::NotAccepted.is_met_by(&got, false), is_rejected, "{status}");
        }
        for got in [Reaction::Closed, Reaction::TimedOut, Reaction::Unreachable(String::new())] {
            assert!(
                !Expectation::Accepted.is_met_by(&got, false) && !rejected.is_met_by(&got, false)
            );
            assert_eq!(Expectation::NotAccepted.is_met_by(&got, false), got == Reaction::Closed);
        }
    }

    #[test]
    fn an_exact_rejection_has_the_status_and_text() {
        let rejected = Expectation::Rejected(Error::InvalidSignature);
        let got = |status, text: &str| Reaction::Answer(status, Some(text.to_owned()));
        assert!(rejected.is_met_by(&got(401, "Invalid signature"), true));
        assert!(!rejected.is_met_by(&got(400, "Invalid signature"), true));
        assert!(!rejected.is_met_by(&got(401, "invalid"), true));
        assert!(!rejected.is_met_by(&Reaction::Answer(401, None), true));
    }
}
