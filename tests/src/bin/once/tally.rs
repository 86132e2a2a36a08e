//! What the senders count.

use std::collections::BTreeMap;

use crate::connection::Answer;

/// What a sender that is refused for the store's sake is asked to wait, in seconds; where a delivery is in
/// work, no more than the servers' lease, which is shorter.
const STORE_RETRY_AFTER: u64 = 5;

#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) requests: u64,
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// Requests whose connection was refused, closed or silent.
    pub(crate) unanswered: u64,
    /// Refusals because the store was down.
    pub(crate) store_down: u64,
    /// Empty successes: the delivery was handled before.
    pub(crate) handled_before: u64,
    /// Deliveries, each as often as it was sent, that were answered with success.
    pub(crate) succeeded: usize,
    /// Answers that no sender should get.
    pub(crate) wrong: Vec<String>,
}

/// What is left to do.
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
        format!("{requests} requests, by status {statuses:?}, {unanswered} without an answer")
    }
}
