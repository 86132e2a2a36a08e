//! What `listen` counts, and when it is done.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::receive::Received;
use crate::{
    exit::{Exit, Failure},
    output::Output,
};

/// The counts of a run.
pub(super) struct Counts {
    counts: Mutex<Numbers>,
    /// `--count`.
    max: Option<u64>,
    done: Notify,
}

#[derive(Default)]
struct Numbers {
    verified: u64,
    refused: u64,
    answered: u64,
    /// Requests that `--events` doesn't name.
    ignored: u64,
    /// Deliveries that could not be forwarded or saved.
    failed: u64,
    /// Why the command cannot continue.
    failure: Option<Failure>,
}

impl Counts {
    pub(super) fn new(max: Option<u64>) -> Self {
        Self { counts: Mutex::default(), max, done: Notify::new() }
    }

    /// Counts a delivery that was reported.
    pub(super) fn reported(&self, received: &Received) {
        let mut counts = self.lock();
        let count = match received.verdict {
            Ok(_) => &mut counts.verified,
            Err(_) => &mut counts.refused,
        };
        *count = count.saturating_add(1);
    }

    pub(super) fn ignored(&self) {
        let mut counts = self.lock();
        counts.ignored = counts.ignored.saturating_add(1);
    }

    pub(super) fn failed(&self) {
        let mut counts = self.lock();
        counts.failed = counts.failed.saturating_add(1);
    }

    /// Stops the command.
    pub(super) fn stop(&self, failure: Failure) {
        self.lock().failure.get_or_insert(failure);
        self.done.notify_one();
    }

    /// Counts an answered delivery. It is reported before its delay, but counts towards `--count` only after it.
    pub(super) fn answered(&self) {
        let mut counts = self.lock();
        counts.answered = counts.answered.saturating_add(1);
        if self.max.is_some_and(|max| counts.answered >= max) {
            self.done.notify_one();
        }
    }

    /// Waits until `--count` is reached or the command cannot continue.
    pub(super) async fn is_done(&self) {
        self.done.notified().await;
    }

    pub(super) fn take_failure(&self) -> Option<Failure> {
        self.lock().failure.take()
    }

    /// Prints the counts, and returns the exit code. `held` is the number of deliveries that still wait.
    pub(super) fn conclude(&self, output: &Output, held: usize) -> Exit {
        let counts = self.lock();
        let Numbers { verified, refused, ignored, failed, .. } = *counts;
        drop(counts);
        let others =
            if ignored > 0 { format!(", {ignored} of other events") } else { String::new() };
        output.note(format_args!("{verified} verified, {refused} refused{others}"));
        if held > 0 {
            output.warn(format_args!("{held} held and not delivered"));
        }
        if failed > 0 || held > 0 {
            Exit::Failed
        } else if refused > 0 {
            Exit::Negative
        } else {
            Exit::AsExpected
        }
    }

    fn lock(&self) -> MutexGuard<'_, Numbers> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
