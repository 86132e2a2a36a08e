//! Releases in the background, for claims that were dropped.

use std::sync::Arc;

use tokio::{runtime::Handle, sync::Semaphore};

/// How many releases may wait or run. Beyond that, the lease expires instead.
const MAX_PENDING: usize = 10_000;
/// How many releases run at a time. A server that drops all of its requests releases thousands at once. Sent all
/// together, they would be answered too late and delay the operations that somebody waits for.
const MAX_RUNNING: usize = 64;

#[derive(Clone)]
pub(super) struct Releases {
    pending: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

impl Releases {
    pub(super) fn new() -> Self {
        Self {
            pending: Arc::new(Semaphore::new(MAX_PENDING)),
            running: Arc::new(Semaphore::new(MAX_RUNNING)),
        }
    }

    /// Spawns the release on this thread's runtime, if there is one.
    pub(super) fn spawn(&self, release: impl Future<Output = ()> + Send + 'static) {
        let Ok(runtime) = Handle::try_current() else { return };
        let Ok(pending) = Arc::clone(&self.pending).try_acquire_owned() else { return };
        let running = Arc::clone(&self.running);
        runtime.spawn(async move {
            // The semaphore is never closed, so this is always a permit.
            let running = running.acquire().await;
            release.await;
            drop((running, pending));
        });
    }
}
