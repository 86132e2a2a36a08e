//! What must come of a case, and what did.

use pierre_webhook_core::Error;
use serde::Serialize;

/// What must come of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// 2xx.
    Accepted,
    /// 4xx; where the text is compared, this one.
    Refused(Error),
    /// 4xx, or a connection that is closed: there is nobody left who must be answered.
    NotAccepted,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Got {
    /// The status, and the answer's own reason.
    Answer(u16, Option<String>),
    /// Closed without an answer.
    Closed,
    /// No whole answer in time.
    TimedOut,
    /// Not even a connection.
    Unreachable(String),
}

/// Both, for programs.
#[derive(Serialize)]
pub(super) struct Words {
    verdict: &'static str,
    status: Option<u16>,
    text: Option<String>,
}

impl Expected {
    pub(super) fn is_met_by(&self, got: &Got, is_exact: bool) -> bool {
        match (self, got) {
            (Self::Accepted, Got::Answer(200..=299, _)) => true,
            (Self::Refused(error), Got::Answer(status @ 400..=499, text)) => {
                !is_exact
                    || (*status == error.status_code() && is_same_text(error, text.as_deref()))
            }
            (Self::NotAccepted, Got::Answer(400..=499, _) | Got::Closed) => true,
            _ => false,
        }
    }

    pub(super) fn words(&self, is_exact: bool) -> Words {
        match self {
            Self::Accepted => Words { verdict: "accepted", status: None, text: None },
            Self::Refused(error) if is_exact => Words {
                verdict: "refused",
                status: Some(error.status_code()),
                text: Some(error.to_string()),
            },
            Self::Refused(_) => Words { verdict: "refused", status: None, text: None },
            Self::NotAccepted => Words { verdict: "not accepted", status: None, text: None },
        }
    }
}

/// A second may pass on the way, so that the number of seconds is not compared.
fn is_same_text(error: &Error, text: Option<&str>) -> bool {
    let Some(text) = text else { return false };
    match error {
        Error::TimestampTooOld { .. } => text.starts_with("Webhook timestamp too old ("),
        _ => text == error.to_string(),
    }
}

impl Got {
    pub(super) fn is_answer(&self) -> bool {
        matches!(self, Self::Answer(..))
    }

    pub(super) fn words(&self) -> Words {
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
        Words { verdict, status, text }
    }

    pub(super) fn text(&self) -> String {
        self.words().text()
    }
}

impl Words {
    /// For people. Not escaped: a part of it may be the server's.
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
    fn only_2xx_is_accepted_and_only_4xx_refused() {
        let refused = Expected::Refused(Error::InvalidSignature);
        for (status, is_accepted, is_refused) in [
            (200, true, false),
            (204, true, false),
            (301, false, false),
            (400, false, true),
            (500, false, false),
        ] {
            let got = Got::Answer(status, None);
            assert_eq!(Expected::Accepted.is_met_by(&got, true), is_accepted, "{status}");
            assert_eq!(refused.is_met_by(&got, false), is_refused, "{status}");
            assert_eq!(Expected::NotAccepted.is_met_by(&got, false), is_refused, "{status}");
        }
        for got in [Got::Closed, Got::TimedOut, Got::Unreachable(String::new())] {
            assert!(!Expected::Accepted.is_met_by(&got, false) && !refused.is_met_by(&got, false));
            assert_eq!(Expected::NotAccepted.is_met_by(&got, false), got == Got::Closed);
        }
    }

    #[test]
    fn exactly_means_status_and_text() {
        let refused = Expected::Refused(Error::InvalidSignature);
        let got = |status, text: &str| Got::Answer(status, Some(text.to_owned()));
        assert!(refused.is_met_by(&got(401, "Invalid signature"), true));
        assert!(!refused.is_met_by(&got(400, "Invalid signature"), true));
        assert!(!refused.is_met_by(&got(401, "invalid"), true));
        assert!(!refused.is_met_by(&Got::Answer(401, None), true));
    }
}
