//! What an operator sees of the inbox.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use pierre_webhook_core::DeliveryId;

/// What [`Inbox::insert`](crate::Inbox::insert) did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Inserted {
    /// The delivery is stored, and a worker will run it. Acknowledge it.
    New,
    /// The delivery was stored before, and may have been run since. Acknowledge it too: it is not stored again.
    Known,
}

/// Where a delivery is on its way through the inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// It waits for its first run, for its next one, or for an earlier delivery of its repository.
    Ready,
    /// A worker runs it, or has died and holds it until its lease expires.
    Running,
    /// It was run with success, or discarded.
    Done,
    /// Its last attempt failed. It is kept until it is retried or discarded.
    Dead,
}

impl State {
    /// Returns the name in the database's column `state`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }

    pub(crate) fn of(name: &str) -> Self {
        match name {
            "running" => Self::Running,
            "done" => Self::Done,
            "dead" => Self::Dead,
            _ => Self::Ready,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A delivery in the inbox, without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The delivery's id.
    pub id: DeliveryId,
    /// The tenant whose verifier accepted it, if it has one.
    pub tenant: Option<String>,
    /// The event type, such as `push`.
    pub event_type: String,
    /// The repository's id, or its hash if it is very long. `None` for an unknown event.
    pub lane: Option<String>,
    /// Where it is.
    pub state: State,
    /// How often it was taken in all: the fencing number of the last attempt.
    pub attempt: u64,
    /// How often it was tried, since it was last [retried](crate::Inbox::retry) by hand.
    pub tries: u32,
    /// When it was stored, by the database's clock.
    pub received_at: SystemTime,
    /// When it may be taken next. While it runs, the end of its lease.
    pub due: SystemTime,
    /// When it was done or died.
    pub ended_at: Option<SystemTime>,
    /// Why its last failed attempt failed.
    pub error: Option<String>,
}

/// How many deliveries are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Deliveries that wait.
    pub ready: u64,
    /// Deliveries that a worker runs.
    pub running: u64,
    /// Deliveries whose last attempt failed.
    pub dead: u64,
    /// How long ago the oldest of those that wait or run was stored.
    pub oldest: Option<Duration>,
}

/// What [`Inbox::prune`](crate::Inbox::prune) removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pruned {
    /// Deliveries whose body was removed. Their ids are still known.
    pub bodies: u64,
    /// Deliveries that were removed altogether.
    pub entries: u64,
}
