//! One run of a delivery, from its start until it is settled.

use std::{any::Any, future::pending, pin::pin, sync::Arc, time::Duration};

use tokio::{
    select,
    sync::watch,
    task::{JoinError, JoinSet},
    time::{self, Instant, MissedTickBehavior, interval, sleep},
};

use super::settings::Settings;
use crate::{
    error::InboxError,
    job::Job,
    row::TakenRow,
    store::{Outcome, Store, Ticket},
    trace,
};

/// How long to wait before the outcome is written again.
const SETTLE_AGAIN: Duration = Duration::from_millis(500);

/// How long to wait until a run that was stopped has been dropped.
const DROPPED_WITHIN: Duration = Duration::from_secs(1);

/// How much of an error is stored, in bytes.
const LONGEST_ERROR: usize = 4096;

const TAKEN_OVER: &str = "a delivery was completed or taken over while it ran";

#[derive(Clone)]
pub(super) struct Running {
    pub(super) store: Arc<dyn Store>,
    pub(super) ticket: Ticket,
    pub(super) settings: Arc<Settings>,
    /// Not after the delivery was taken.
    pub(super) taken: Instant,
    pub(super) told_to_give_back: watch::Receiver<bool>,
}

pub(super) enum Ended {
    Settled,
    NotGivenBack(InboxError),
}

impl Running {
    pub(super) async fn run<F, W>(self, row: TakenRow, handler: Arc<F>) -> Ended
    where
        F: Fn(Job) -> W + Send + Sync + 'static,
        W: Future<Output = Result<(), String>> + Send + 'static,
    {
        let tries = u32::try_from(row.tries).unwrap_or_default();
        let result = if tries > self.settings.max_attempts {
            // Nobody has settled the last attempt.
            Some(Err("the last attempt outlived its lease".to_owned()))
        } else {
            match row.delivery() {
                Ok(delivery) => {
                    self.work(Job::new(delivery, self.ticket.clone(), tries), handler).await
                }
                Err(error) => Some(Err(format!("the stored delivery can't be read: {error}"))),
            }
        };
        let outcome = match result {
            Some(Ok(())) => Outcome::Done,
            Some(Err(error)) => self.failed(tries, error),
            None => Outcome::NotRun,
        };
        self.settle(outcome).await
    }

    /// Asks the database only if the process paused for longer than its lease before the run could start. What the
    /// run returns then isn't stored, since another attempt has the delivery.
    async fn was_taken_over(&self) -> bool {
        self.taken.elapsed() >= self.settings.lease && !self.renew().await
    }

    /// Returns `None` if the run must be given back.
    async fn work<F, W>(&self, job: Job, handler: Arc<F>) -> Option<Result<(), String>>
    where
        F: Fn(Job) -> W + Send + Sync + 'static,
        W: Future<Output = Result<(), String>> + Send + 'static,
    {
        // In a task of its own: it may panic, and a set aborts it when it is dropped.
        let mut work = JoinSet::new();
        let run = self.clone();
        work.spawn(async move {
            if run.was_taken_over().await {
                return Ok(());
            }
            handler(job).await
        });
        let limit = self.settings.timeout;
        let mut timeout = pin!(sleep(limit));
        let mut told_to_give_back = self.told_to_give_back.clone();
        let mut renewals = interval(self.settings.renewal());
        renewals.set_missed_tick_behavior(MissedTickBehavior::Delay);
        renewals.reset();
        let result = loop {
            select! {
                biased;
                Some(ended) = work.join_next() => {
                    return Some(ended.unwrap_or_else(|error| Err(panicked(error))));
                }
                () = &mut timeout => break Some(Err(format!("it took longer than {limit:?}"))),
                () = told(&mut told_to_give_back) => break None,
                _ = renewals.tick() => {
                    self.renew().await;
                }
            }
        };
        // It isn't settled before the run has been dropped, unless that blocks its thread.
        let _ = time::timeout(DROPPED_WITHIN, work.shutdown()).await;
        result
    }

    /// Returns false if the lease is certainly lost.
    async fn renew(&self) -> bool {
        match self.store.renew(self.ticket.clone(), self.settings.lease).await {
            Ok(true) => true,
            Ok(false) => {
                trace::debug(self.ticket.id, TAKEN_OVER);
                false
            }
            Err(error) => {
                trace::warn_of(&error, self.ticket.id, "a lease could not be renewed");
                true
            }
        }
    }

    fn failed(&self, tries: u32, error: String) -> Outcome {
        let error = storable(error);
        if tries >= self.settings.max_attempts {
            trace::warn_of(&error, self.ticket.id, "a delivery is dead: its last attempt failed");
            Outcome::Dead { error }
        } else {
            trace::warn_of(&error, self.ticket.id, "a delivery failed, and is tried again");
            Outcome::Again { after: self.settings.backoff.after(tries), error }
        }
    }

    /// Writes the outcome, until that succeeds or the worker has no more time.
    async fn settle(mut self, outcome: Outcome) -> Ended {
        loop {
            let error = match self.store.settle(self.ticket.clone(), outcome.clone()).await {
                Ok(is_stored) => {
                    if !is_stored {
                        trace::debug(self.ticket.id, TAKEN_OVER);
                    }
                    #[cfg(feature = "metrics")]
                    crate::metrics::attempted(&self.ticket.scope, &outcome, is_stored);
                    return Ended::Settled;
                }
                Err(error) => error,
            };
            trace::warn_of(&error, self.ticket.id, "the outcome of a delivery could not be stored");
            if *self.told_to_give_back.borrow() {
                return Ended::NotGivenBack(error);
            }
            select! {
                () = sleep(SETTLE_AGAIN) => {}
                // Once more, then it must do.
                _ = self.told_to_give_back.changed() => {}
            }
        }
    }
}

/// Cuts off what is very long, and replaces NUL, which PostgreSQL can't store.
fn storable(mut error: String) -> String {
    let end = (0..=LONGEST_ERROR).rev().find(|at| error.is_char_boundary(*at));
    error.truncate(end.unwrap_or_default());
    error.replace('\0', "\u{fffd}")
}

async fn told(receiver: &mut watch::Receiver<bool>) {
    if receiver.wait_for(|is_told| *is_told).await.is_err() {
        // The worker was dropped, and this task is about to be.
        pending().await
    }
}

fn panicked(error: JoinError) -> String {
    match error.try_into_panic() {
        Ok(panic) => format!("it panicked: {}", message(&*panic)),
        Err(error) => error.to_string(),
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    match panic.downcast_ref::<&str>() {
        Some(text) => text,
        None => panic.downcast_ref::<String>().map_or("without a text", String::as_str),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_stored_without_nul_and_not_at_any_length() {
        assert_eq!(storable("a\0b".to_owned()), "a\u{fffd}b");
        assert_eq!(storable("x".repeat(LONGEST_ERROR)).len(), LONGEST_ERROR);
        let euros = storable("\u{20ac}".repeat(LONGEST_ERROR));
        assert_eq!(euros.len(), LONGEST_ERROR - 1);
        assert!(euros.chars().all(|euro| euro == '\u{20ac}'));
    }
}
