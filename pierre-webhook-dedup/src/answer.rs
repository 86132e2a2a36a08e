//! Responses that don't come from the handler.

use std::time::Duration;

use pierre_webhook_core::{PROBLEM_JSON, problem_json};

/// How long the sender is asked to wait if the store is down, in seconds.
const STORE_RETRY_AFTER: u64 = 5;

pub(crate) enum Answer {
    /// The delivery has already been handled.
    Completed,
    InProgress {
        retry_after: Duration,
    },
    StoreFailed,
    /// Nothing outside of the layer or the middleware has verified the request. The text says what to add.
    NotVerified(&'static str),
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Completed => 200,
            Self::InProgress { .. } | Self::StoreFailed => 503,
            Self::NotVerified(_) => 500,
        }
    }

    /// Problem details (RFC 9457), or empty for a success.
    pub(crate) fn body(&self) -> Vec<u8> {
        let (code, detail) = match self {
            Self::Completed => return Vec::new(),
            Self::InProgress { .. } => {
                ("delivery_in_progress", "Webhook delivery is being handled already")
            }
            Self::StoreFailed => ("dedup_unavailable", "Webhook deduplication is not available"),
            Self::NotVerified(text) => ("webhook_not_verified", *text),
        };
        problem_json(self.status(), code, detail)
    }

    /// The headers, with lower-case names.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&'static str, String)> {
        let content_type =
            (self.status() != 200).then(|| ("content-type", PROBLEM_JSON.to_owned()));
        let retry_after = match self {
            // Most work ends long before its lease does, so ask for an early retry.
            Self::InProgress { retry_after } => Some(in_seconds(*retry_after).clamp(1, 5)),
            Self::StoreFailed => Some(STORE_RETRY_AFTER),
            _ => None,
        };
        let retry_after = retry_after.map(|seconds| ("retry-after", seconds.to_string()));
        content_type.into_iter().chain(retry_after)
    }
}

/// Rounds up to whole seconds.
fn in_seconds(time: Duration) -> u64 {
    time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_asked_to_retry_after_one_to_five_whole_seconds() {
        for (milliseconds, seconds) in [(0, "1"), (1, "1"), (1001, "2"), (4999, "5"), (90_000, "5")]
        {
            let retry_after = Duration::from_millis(milliseconds);
            let answer = Answer::InProgress { retry_after };
            let headers: Vec<_> = answer.headers().collect();
            assert_eq!(headers[1], ("retry-after", seconds.to_owned()), "{milliseconds} ms");
        }
    }

    #[test]
    fn a_completed_delivery_is_answered_with_an_empty_success() {
        assert_eq!(Answer::Completed.status(), 200);
        assert_eq!(Answer::Completed.body(), b"");
        assert_eq!(Answer::Completed.headers().count(), 0);
    }
}
