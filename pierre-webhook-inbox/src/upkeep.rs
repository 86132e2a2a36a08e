//! What an operator does: see what waits and what is dead, retry, discard, prune.

use std::time::Duration;

use bytes::Bytes;
use pierre_webhook_core::DeliveryId;

use crate::{
    entry::{Entry, Pruned, State, Stats},
    error::InboxError,
    inbox::Inbox,
    store::Prune,
};

impl Inbox {
    /// Counts the deliveries that wait, run and are dead. Counting takes time in proportion to their number.
    ///
    /// # Errors
    ///
    /// If the database fails or doesn't answer within 5 seconds.
    pub async fn stats(&self) -> Result<Stats, InboxError> {
        self.store.stats(self.scope.clone()).await
    }

    /// Returns the oldest dead deliveries, up to a limit.
    ///
    /// # Errors
    ///
    /// If the database fails or doesn't answer within 5 seconds.
    pub async fn dead(&self, limit: u32) -> Result<Vec<Entry>, InboxError> {
        self.list(State::Dead, limit).await
    }

    /// Returns the oldest deliveries of a state, up to a limit.
    ///
    /// # Errors
    ///
    /// If the database fails or doesn't answer within 5 seconds.
    pub async fn list(&self, state: State, limit: u32) -> Result<Vec<Entry>, InboxError> {
        self.store.entries(self.scope.clone(), state, limit.into()).await
    }

    /// Returns the delivery with this id, and its body unless it was [pruned](Self::prune). Several if several tenants
    /// have received the same delivery.
    ///
    /// # Errors
    ///
    /// If the database fails or doesn't answer within 5 seconds.
    pub async fn find(&self, id: DeliveryId) -> Result<Vec<(Entry, Option<Bytes>)>, InboxError> {
        self.store.find(self.scope.clone(), id).await
    }

    /// Has a dead delivery run again, with its tries counted from 1. Returns false if there is no dead one with this id.
    ///
    /// # Errors
    ///
    /// If the database fails or doesn't answer within 5 seconds.
    pub async fn retry(&self, id: DeliveryId) -> Result<bool, InboxError> {
        let is_retried = self.store.retry(self.scope.clone(), id).await?;
        self.wake(is_retried);
        Ok(is_retried)
    }

    /// Gives a dead delivery up: it counts as done, and holds its repository no longer. Returns false if there is no
    /// dead one with this id.
    ///
    /// # Errors
    ///
    /// If the database fails or doesn't answer within 5 seconds.
    pub async fn discard(&self, id: DeliveryId) -> Result<bool, InboxError> {
        let is_discarded = self.store.discard(self.scope.clone(), id).await?;
        self.wake(is_discarded);
        Ok(is_discarded)
    }

    /// Removes what is no longer needed: the bodies of deliveries that have been done for longer than `age`, and those
    /// deliveries altogether once that is also longer than the [`retention`](Self::retention).
    ///
    /// Nothing else prunes, so call it regularly. Deliveries that wait, run or are dead are kept. Each statement
    /// removes at most 1,000 rows, so pruning never holds up receivers for long.
    ///
    /// # Errors
    ///
    /// If the database fails. What was pruned until then stays pruned.
    pub async fn prune(&self, age: Duration) -> Result<Pruned, InboxError> {
        let prune = Prune { body_after: age, entry_after: age.max(self.retention) };
        self.store.prune(self.scope.clone(), prune).await
    }

    fn wake(&self, is_needed: bool) {
        if is_needed {
            self.arrivals.notify_waiters();
            self.store.announce(&self.scope);
        }
    }
}
