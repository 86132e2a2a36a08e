//! What the senders count.

use std::collections::BTreeMap;

use crate::connection::Answer;

/// The `Retry-After`, in seconds, of a request that was rejected because the store was down. If the delivery is being
/// handled, it is at most the servers' lease, which is shorter.
const STORE_RETRY_AFTER: u64 = 5;

#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) requests: u64,
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// Requests without a response: the connection was refused, closed or timed out.
    pub(crate) unanswered: u64,
    /// Requests that were rejected because the store was down.
    pub(crate) store_down: u64,
    /// Empty successes, which mean that the delivery was handled before.
    pub(crate) handled_before: u64,
    /// Deliveries that were answered with success, each counted as often as it was sent.
    pub(crate) succeeded: usize,
    /// Responses that no sender should get.
    pub(crate) wrong: Vec<String>,
}

/// What a sender does next.
pub(crate) enum Next {
    Nothing,
    Retry,
}

impl Tally {
    pub(crate) fn count(&mut self, answer: Option<&Answer>) -> Next {
        self.requests += 1;
        let Some(Answer { status, retry_after, body }) = answer else {
            self.unanswered += 1;
            return Next::Retry;
        };
        *self.statuses.entry(*status).or_default() += 1;
        match status {
            200 => {
                self.handled_before += u64::from(body.is_empty());
                self.succeeded += 1;
                Next::Nothing
            }
            500 | 503 => {
                self.store_down += u64::from(*retry_after == Some(STORE_RETRY_AFTER));
                Next::Retry
            }
            _ => {
                self.wrong.push(format!("{status} {}", body.escape_ascii()));
                Next::Nothing
            }
        }
    }

    pub(crate) fn answers(&self) -> String {
        let Self { requests, statuses, unanswered, .. } = self;
        format!("{requests} requests, by status {statuses:?}, {unanswered} without a response")
    }
}
