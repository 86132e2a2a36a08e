//! The releases that a `Drop` has asked for.

use std::sync::Arc;

use tokio::{runtime::Handle, sync::Semaphore};

/// How many may be under way or wait. Beyond that a lease lapses instead.
const PLACES: usize = 10_000;
/// How many are asked of Redis at a time: thousands at once, as where a server drops all its requests, would
/// come too late one behind the other, and hold up those that somebody waits for.
const TURNS: usize = 64;

#[derive(Clone)]
pub(super) struct Abandoned {
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
}

impl Abandoned {
    pub(super) fn new() -> Self {
        Self { places: Arc::new(Semaphore::new(PLACES)), turns: Arc::new(Semaphore::new(TURNS)) }
    }

    /// Has it run on the runtime of this thread, where there is one.
    pub(super) fn spawn(&self, release: impl Future<Output = ()> + Send + 'static) {
        let Ok(runtime) = Handle::try_current() else { return };
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else { return };
        let turns = Arc::clone(&self.turns);
        runtime.spawn(async move {
            // It is never closed.
            let turn = turns.acquire().await;
            release.await;
            drop((turn, place));
        });
    }
}
