//! The outcomes of `Dedup::once`.

use std::{error::Error, fmt, time::Duration};

use crate::error::StoreError;

/// The outcome of [`Dedup::once`](crate::Dedup::once).
///
/// With the feature `actix` this is a `Responder`: it answers with the value, with 200 if the delivery has
/// already been handled, and with 503 and `Retry-After` if it is being handled.
///
/// In other frameworks, don't answer [`InProgress`](Self::InProgress) with success: the sender would stop
/// retrying, and the run in progress may still fail.
#[must_use = "a delivery in progress must not be answered with success"]
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Once<T> {
    /// The work ran and succeeded.
    Ran {
        /// What the work returned.
        value: T,
        /// Whether the completion is recorded.
        recorded: Recorded,
    },
    /// Another process or task is handling the delivery: ask the sender to retry.
    InProgress {
        /// What is left of the other's lease.
        retry_after: Duration,
    },
    /// The delivery has already been handled; the work did not run.
    Completed,
}

/// Whether a completion is recorded.
///
/// Whichever it is, the work is done, so answer the sender with success: a retry could only repeat it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recorded {
    /// The delivery will not be handled again during the retention.
    Yes,
    /// The lease expired and another has claimed or completed the delivery: it runs twice.
    TakenOver,
    /// The store failed, so the completion is retried in the background: for up to 15 minutes, while the process
    /// and the claim's runtime live, and while no more than 10,000 completions wait. Until it is recorded, the
    /// delivery may be handled again once the lease expires.
    Retrying,
    /// The store failed and 10,000 completions wait in the background already: nothing retries this one. The
    /// delivery is handled again once the lease expires.
    No,
}

/// The error of [`Dedup::once`](crate::Dedup::once).
///
/// With the feature `actix` this is a `ResponseError`: it answers like the work's error, or with 503.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum OnceError<E> {
    /// The work failed, and the delivery was released: a retry runs it again.
    Work(E),
    /// The store failed before the work began, so the work did not run.
    Store(StoreError),
}

impl<E: fmt::Display> fmt::Display for OnceError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Work(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl<E: Error> Error for OnceError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Work(error) => error.source(),
            Self::Store(error) => error.source(),
        }
    }
}
