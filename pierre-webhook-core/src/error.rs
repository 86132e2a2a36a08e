//! Why a delivery was rejected: the texts, status codes and headers of the response.

use crate::problem::{PROBLEM_JSON, problem_json};

/// Why a delivery was rejected.
///
/// Each variant is one rule of the protocol. `Display` is the exact text that the sender is told. It never
/// contains a secret. The only text from the request that it can contain is the event types: at most 128
/// visible ASCII characters each.
///
/// ```
/// use pierre_webhook_core::Error;
///
/// let error = Error::InvalidSignature;
/// assert_eq!(error.to_string(), "Invalid signature");
/// assert_eq!(error.code(), "invalid_signature");
/// assert_eq!(error.status_code(), 401);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The signature header is missing, blank or repeated, or contains a byte that isn't visible ASCII, a
    /// space or a tab.
    #[error("Missing or invalid X-Pierre-Signature header")]
    MissingSignatureHeader,

    /// The event header is missing or repeated, or isn't an event type: 1 to 128 characters `!` to `~`
    /// without a comma.
    #[error("Missing or invalid X-Pierre-Event header")]
    MissingEventHeader,

    /// The signature header isn't a list with one `t` and one to eight `sha256` values.
    #[error("Invalid signature header format")]
    InvalidSignatureHeader,

    /// The signature's `t` isn't a number in ASCII digits that fits an `i64`.
    #[error("Invalid timestamp in signature")]
    InvalidTimestamp,

    /// The lookup of the verifier failed. Made by the adapters, which keep the cause out of the response.
    #[error("Webhook verifier is not available")]
    VerifierUnavailable,

    /// The delivery was signed longer ago than the verifier's max age.
    #[error("Webhook timestamp too old ({age} seconds)")]
    #[non_exhaustive]
    TimestampTooOld {
        /// Seconds since the delivery was signed.
        age: u64,
    },

    /// The delivery's timestamp is further in the future than the verifier tolerates.
    #[error("Webhook timestamp is in the future")]
    TimestampInFuture,

    /// The body, or its declared length, is over the verifier's body limit.
    #[error("Webhook body larger than {limit} bytes")]
    #[non_exhaustive]
    BodyTooLarge {
        /// The verifier's body limit in bytes.
        limit: usize,
    },

    /// The server cut the body off at a limit of its own. Made by the adapters.
    #[error("Webhook body larger than the server allows")]
    BodyTooLargeForServer,

    /// The body ended early or its stream failed. Made by the adapters, which keep the cause.
    #[error("Webhook body could not be read")]
    BodyUnreadable,

    /// No `sha256` value is the MAC of the body under an accepted secret.
    #[error("Invalid signature")]
    InvalidSignature,

    /// The body isn't UTF-8, or isn't exactly one JSON value.
    #[error("Invalid JSON payload")]
    #[non_exhaustive]
    InvalidJson {
        /// The line of the first error, from 1.
        line: usize,
        /// The column of the first error in bytes, from 1. 0 if the line ended too early.
        column: usize,
    },

    /// The body, which is signed, contradicts the event header, which isn't: the delivery was relabeled.
    #[error("Event type mismatch: header says {header}, body says {body}")]
    #[non_exhaustive]
    EventTypeMismatch {
        /// The event type in the header.
        header: String,
        /// The event type in the body.
        body: String,
    },

    /// In the body of a known event, a field is missing, has the wrong type or appears twice.
    #[error("Invalid {event_type} payload")]
    #[non_exhaustive]
    InvalidPayload {
        /// The event type in the header.
        event_type: String,
        /// The path of the wrong field, such as `repository.id`. If a field is missing or appears twice, the
        /// path of the object that should hold it; `.` is the payload itself.
        field: String,
        /// The line of the error, from 1.
        line: usize,
        /// The column of the error in bytes, from 1. 0 if the line ended too early.
        column: usize,
    },
}

impl Error {
    /// Every [`code`](Self::code).
    pub const CODES: &'static [&'static str] = &[
        "missing_signature_header",
        "missing_event_header",
        "invalid_signature_header",
        "invalid_timestamp",
        "verifier_unavailable",
        "timestamp_too_old",
        "timestamp_in_future",
        "body_too_large",
        "body_too_large_for_server",
        "body_unreadable",
        "invalid_signature",
        "invalid_json",
        "event_type_mismatch",
        "invalid_payload",
    ];

    /// Returns the stable name of the reason, such as `invalid_signature`: one name for each variant.
    ///
    /// Unlike the text, it contains no age, limit or event type, so it can label a metric or select an alert.
    /// `book/src/troubleshooting.md` lists their causes and what to do.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MissingSignatureHeader => "missing_signature_header",
            Self::MissingEventHeader => "missing_event_header",
            Self::InvalidSignatureHeader => "invalid_signature_header",
            Self::InvalidTimestamp => "invalid_timestamp",
            Self::VerifierUnavailable => "verifier_unavailable",
            Self::TimestampTooOld { .. } => "timestamp_too_old",
            Self::TimestampInFuture => "timestamp_in_future",
            Self::BodyTooLarge { .. } => "body_too_large",
            Self::BodyTooLargeForServer => "body_too_large_for_server",
            Self::BodyUnreadable => "body_unreadable",
            Self::InvalidSignature => "invalid_signature",
            Self::InvalidJson { .. } => "invalid_json",
            Self::EventTypeMismatch { .. } => "event_type_mismatch",
            Self::InvalidPayload { .. } => "invalid_payload",
        }
    }

    /// Returns the HTTP status code of the response.
    ///
    /// | status | for |
    /// | --- | --- |
    /// | 400 | headers that can't be parsed, a body that could not be read or isn't JSON, a relabeled delivery |
    /// | 401 | a wrong signature, or one outside of the time window |
    /// | 413 | a body over a limit |
    /// | 422 | a known event whose payload isn't valid |
    /// | 503 | a lookup that failed |
    pub fn status_code(&self) -> u16 {
        match self {
            Self::MissingSignatureHeader
            | Self::MissingEventHeader
            | Self::InvalidSignatureHeader
            | Self::InvalidTimestamp
            | Self::BodyUnreadable
            | Self::InvalidJson { .. }
            | Self::EventTypeMismatch { .. } => 400,
            Self::TimestampTooOld { .. } | Self::TimestampInFuture | Self::InvalidSignature => 401,
            Self::BodyTooLarge { .. } | Self::BodyTooLargeForServer => 413,
            Self::InvalidPayload { .. } => 422,
            Self::VerifierUnavailable => 503,
        }
    }

    /// Returns the body of the response: problem details for HTTP APIs (RFC 9457) as JSON, with the
    /// [`code`](Self::code) as an additional member.
    ///
    /// ```
    /// # use pierre_webhook_core::Error;
    /// assert_eq!(
    ///     Error::InvalidSignature.problem_json(),
    ///     br#"{"type":"about:blank","title":"Unauthorized","status":401,"detail":"Invalid signature","code":"invalid_signature"}"#,
    /// );
    /// ```
    pub fn problem_json(&self) -> Vec<u8> {
        problem_json(self.status_code(), self.code(), &self.to_string())
    }

    /// Returns the headers of the response, with lower-case names: the content type of
    /// [`problem_json`](Self::problem_json), for a 401 the challenge that RFC 9110 requires, and for a 503
    /// when to retry.
    pub fn headers(&self) -> &'static [(&'static str, &'static str)] {
        const CONTENT_TYPE: (&str, &str) = ("content-type", PROBLEM_JSON);
        match self.status_code() {
            401 => &[CONTENT_TYPE, ("www-authenticate", "X-Pierre-Signature")],
            503 => &[CONTENT_TYPE, ("retry-after", "5")],
            _ => &[CONTENT_TYPE],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_is_escaped() {
        let error = Error::EventTypeMismatch { header: r#"a"b"#.into(), body: r"c\d".into() };
        let problem: serde_json::Value = serde_json::from_slice(&error.problem_json()).unwrap();
        assert_eq!(problem["detail"], error.to_string());
    }

    #[test]
    fn only_a_401_carries_a_challenge_and_only_a_503_says_when_to_retry() {
        let names = |error: Error| -> Vec<&str> { error.headers().iter().map(|h| h.0).collect() };
        assert_eq!(names(Error::TimestampInFuture), ["content-type", "www-authenticate"]);
        assert_eq!(names(Error::VerifierUnavailable), ["content-type", "retry-after"]);
        assert_eq!(names(Error::BodyUnreadable), ["content-type"]);
    }
}
