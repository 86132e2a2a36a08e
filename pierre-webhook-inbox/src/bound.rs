//! The bound on deliveries that wait.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use crate::{error::InboxError, store::Store};

/// Counting costs the database time, so a count is used for a while: longer if there is much room.
const NEARLY_FULL_FOR: Duration = Duration::from_secs(1);
const ROOMY_FOR: Duration = Duration::from_secs(10);

/// Rejects deliveries while too many wait. What this process stores is added to the last count; what other processes
/// store or process shows at the next count.
#[derive(Clone)]
pub(crate) struct Bound {
    most: u64,
    last: Arc<LastCount>,
}

#[derive(Default)]
struct LastCount {
    waiting: AtomicU64,
    at: Mutex<Option<Instant>>,
}

enum Count {
    Missing,
    Old,
    Fresh,
}

impl Bound {
    pub(crate) fn new(most: u64) -> Self {
        Self { most, last: Arc::default() }
    }

    pub(crate) fn most(&self) -> u64 {
        self.most
    }

    /// Fails if the inbox is full.
    pub(crate) async fn admit(
        &self,
        store: &Arc<dyn Store>,
        scope: &Arc<str>,
    ) -> Result<(), InboxError> {
        match self.begin_count() {
            Count::Fresh => {}
            Count::Missing => self.count(store, scope).await?,
            Count::Old => {
                let (bound, store, scope) = (self.clone(), store.clone(), scope.clone());
                // The count before is used until then, and if it fails.
                tokio::spawn(async move { bound.count(&store, &scope).await });
            }
        }
        if self.last.waiting.load(Ordering::Relaxed) < self.most {
            Ok(())
        } else {
            Err(InboxError::full(self.most))
        }
    }

    pub(crate) fn add_one(&self) {
        self.last.waiting.fetch_add(1, Ordering::Relaxed);
    }

    fn begin_count(&self) -> Count {
        let waiting = self.last.waiting.load(Ordering::Relaxed);
        let is_nearly_full = waiting >= self.most.saturating_sub(self.most / 10);
        let good_for = if is_nearly_full { NEARLY_FULL_FOR } else { ROOMY_FOR };
        let mut at = self.last.at.lock().unwrap_or_else(PoisonError::into_inner);
        match *at {
            None => Count::Missing,
            Some(last) if last.elapsed() < good_for => Count::Fresh,
            Some(_) => {
                *at = Some(Instant::now());
                Count::Old
            }
        }
    }

    async fn count(&self, store: &Arc<dyn Store>, scope: &Arc<str>) -> Result<(), InboxError> {
        let waiting = store.waiting(scope.clone(), self.most).await?;
        self.last.waiting.store(waiting, Ordering::Relaxed);
        let mut at = self.last.at.lock().unwrap_or_else(PoisonError::into_inner);
        *at = Some(Instant::now());
        Ok(())
    }
}
