//! The leases that are alive, so that a shutdown can release them.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use tokio::{
    task::JoinSet,
    time::{Instant, timeout_at},
};

use crate::{lease::Lease, store::Key};

/// How long the releases of a shutdown may take together.
const RELEASE_WITHIN: Duration = Duration::from_secs(2);

/// Leases die without notice; the dead ones are swept when the list has doubled.
#[derive(Default)]
pub(crate) struct Live {
    leases: Mutex<Leases>,
}

#[derive(Default)]
struct Leases {
    list: Vec<Weak<Lease>>,
    sweep_at: usize,
}

impl Live {
    pub(crate) fn add(&self, lease: Weak<Lease>) {
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        if leases.list.len() >= leases.sweep_at {
            leases.list.retain(|lease| lease.strong_count() > 0);
            leases.sweep_at = leases.list.len().saturating_mul(2).max(64);
        }
        leases.list.push(lease);
    }

    /// Releases the leases whose work is still running, all at once, within a time.
    pub(crate) async fn release_all(&self) -> Unfinished {
        let mut unfinished = Unfinished::default();
        let mut releases = JoinSet::new();
        for lease in self.leases() {
            releases.spawn(async move { lease.release_running().await });
        }
        let until = Instant::now().checked_add(RELEASE_WITHIN).unwrap_or_else(Instant::now);
        while let Ok(Some(released)) = timeout_at(until, releases.join_next()).await {
            let count = match released {
                Ok(Some(Ok(()))) => &mut unfinished.released,
                Ok(None) => &mut unfinished.unrecorded,
                Ok(Some(Err(_))) | Err(_) => &mut unfinished.unreleased,
            };
            *count = count.saturating_add(1);
        }
        unfinished.unreleased = unfinished.unreleased.saturating_add(releases.len());
        unfinished
    }

    /// Cancels the completions of this delivery that wait in the background.
    pub(crate) async fn forget(&self, key: Key<'_>) {
        for lease in self.leases() {
            lease.forget(key).await;
        }
    }

    fn leases(&self) -> Vec<Arc<Lease>> {
        let leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        leases.list.iter().filter_map(Weak::upgrade).collect()
    }
}

/// What was left when [`Dedup::shutdown`](crate::Dedup::shutdown) ran out of time. All zero if nothing was.
#[must_use = "deliveries that were left run again"]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unfinished {
    /// Claims whose work was still running. They are released: another process may handle the delivery at once.
    pub released: usize,
    /// Claims whose work was still running and that the store failed to release. Their leases expire.
    pub unreleased: usize,
    /// Completions that the store hasn't recorded. These deliveries are handled again once their leases expire.
    pub unrecorded: usize,
}

impl Unfinished {
    /// Returns whether everything was finished and recorded in time.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} claims released, {} not released, {} completions not recorded",
            self.released, self.unreleased, self.unrecorded
        )
    }
}
