//! What became of a delivery that is handled once.

use std::{error::Error, fmt, time::Duration};

use crate::error::StoreError;

/// What [`Dedup::once`](crate::Dedup::once) did.
///
/// With the feature `actix` it answers a request: the value's own answer, 200 for a delivery that was handled
/// before, 503 with `Retry-After` for one that is being handled.
///
/// Elsewhere let [`InProgress`](Self::InProgress) be no success for the sender: it would not come again, and the
/// run that is under way may still fail.
#[must_use = "a delivery in progress must not be answered with success"]
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Once<T> {
    /// The work ran and succeeded.
    Ran {
        /// What it returned.
        value: T,
        /// Whether that is recorded.
        recorded: Recorded,
    },
    /// Another is handling the delivery: the sender should come again.
    InProgress {
        /// The rest of the other's lease.
        retry_after: Duration,
    },
    /// It was handled before, and the work did not run.
    Completed,
}

/// Whether a completion is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recorded {
    /// The delivery will not be handled again during the retention.
    Yes,
    /// The lease had lapsed and another holds the delivery, or has completed it: it runs twice.
    TakenOver,
    /// The store failed. The record is written in the background, for up to 15 minutes while the process
    /// and the runtime of the claim live, and no more than 10,000 wait; until then the delivery may be handled
    /// again once the lease has lapsed.
    Retrying,
}

/// Why [`Dedup::once`](crate::Dedup::once) did not succeed.
///
/// With the feature `actix` it answers a request: as the work's error does, or 503.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum OnceError<E> {
    /// The work failed, and the delivery was released: a retry runs it again.
    Work(E),
    /// The store failed before the work began, which therefore did not run.
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
