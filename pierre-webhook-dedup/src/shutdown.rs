//! The end of a process.

use std::time::Duration;

use tokio::time::timeout;

use crate::{dedup::Dedup, live::Unfinished};

impl Dedup {
    /// Ends gracefully: accepts no new claim, waits for the work that runs and for completions in the background,
    /// and then releases the claims that are left, within 2 seconds, so that another process can handle their
    /// deliveries at once.
    ///
    /// Call it after the server has stopped accepting requests, or, with the actix middleware, while the server still
    /// runs: its workers drop their tasks when they stop. Either way, call it within the time that the process has
    /// left and before the runtime ends: a claim that is dropped with its runtime isn't released, so its delivery
    /// waits for the lease to expire. It ends all clones of this `Dedup`, of every scope and tenant. From then on
    /// [`begin`](Self::begin) and [`once`](Self::once) return an error, and the layer and the middleware respond
    /// with 503.
    ///
    /// Work that is still running isn't stopped. If its claim is released, another process may run it too.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use pierre_webhook_dedup::{Dedup, MemoryStore};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let dedup = Dedup::new(MemoryStore::new());
    /// // axum::serve(listener, app).with_graceful_shutdown(signal).await?;
    /// let unfinished = dedup.shutdown(Duration::from_secs(10)).await;
    /// if !unfinished.is_empty() {
    ///     eprintln!("{unfinished}");
    /// }
    /// # }
    /// ```
    pub async fn shutdown(&self, patience: Duration) -> Unfinished {
        self.terms.is_closing.send_replace(true);
        match timeout(patience, self.terms.is_closing.closed()).await {
            Ok(()) => Unfinished::default(),
            Err(_) => self.live.release_all().await,
        }
    }
}
