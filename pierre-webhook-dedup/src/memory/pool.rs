//! A bounded number of records.

use std::{collections::HashMap, time::Duration};

use hashlink::LinkedHashMap;
use pierre_webhook_core::DeliveryId;
use tokio::{sync::watch, time::Instant};

use crate::{
    duration,
    error::StoreError,
    owner::Owner,
    store::{Claimed, Key},
};

/// Records in memory. No key is in both maps.
pub(super) struct Pool {
    capacity: usize,
    /// In the order of their claims and renewals.
    in_progress: LinkedHashMap<RecordKey, Held>,
    /// In the order of their completions.
    completed: LinkedHashMap<RecordKey, Record>,
    /// A number for each scope, so that records don't repeat its name.
    scopes: HashMap<Box<str>, usize>,
    /// Until this instant, no lease expires behind a longer one, so a sweep finds nothing.
    swept_until: Option<Instant>,
}

/// The number of a scope, and the id of a delivery in it.
type RecordKey = (usize, DeliveryId);

struct Record {
    owner: Owner,
    until: Instant,
}

impl Record {
    fn is_expired(&self, now: Instant) -> bool {
        self.until <= now
    }
}

/// The record of a delivery in progress.
struct Held {
    record: Record,
    /// Those who wait for its end, once there are any. Dropping the sender wakes them.
    end: Option<watch::Sender<()>>,
}

impl Pool {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            in_progress: LinkedHashMap::new(),
            completed: LinkedHashMap::new(),
            scopes: HashMap::new(),
            swept_until: None,
        }
    }

    pub(super) fn claim(
        &mut self,
        key: Key<'_>,
        owner: Owner,
        lease: Duration,
        fencing_token: u64,
    ) -> Result<Claimed, StoreError> {
        let (now, record_key) = (Instant::now(), self.record_key(key));
        if self.completed_by(record_key, now).is_some() {
            return Ok(Claimed::Completed);
        }
        if let Some(until) = self.held_by_another(record_key, owner, now) {
            return Ok(Claimed::InProgress { retry_after: until.duration_since(now) });
        }
        self.hold(record_key, owner, lease, now)?;
        Ok(Claimed::Yours { fencing_token })
    }

    pub(super) fn complete(
        &mut self,
        key: Key<'_>,
        owner: Owner,
        retention: Duration,
    ) -> Result<bool, StoreError> {
        let (now, record_key) = (Instant::now(), self.record_key(key));
        if let Some(by) = self.completed_by(record_key, now) {
            return Ok(by == owner);
        }
        if self.held_by_another(record_key, owner, now).is_some() {
            return Ok(false);
        }
        if self.in_progress.remove(&record_key).is_none() {
            self.make_room(now)?;
        }
        self.completed.insert(record_key, Record { owner, until: after(now, retention) });
        Ok(true)
    }

    pub(super) fn release(&mut self, key: Key<'_>, owner: Owner) {
        let record_key = self.record_key(key);
        if self.in_progress.get(&record_key).is_some_and(|held| held.record.owner == owner) {
            self.in_progress.remove(&record_key);
        }
    }

    pub(super) fn forget(&mut self, key: Key<'_>) -> bool {
        let (now, record_key) = (Instant::now(), self.record_key(key));
        let record = self.completed.remove(&record_key);
        let record =
            record.or_else(|| self.in_progress.remove(&record_key).map(|held| held.record));
        record.is_some_and(|record| !record.is_expired(now))
    }

    /// Returns what tells that this delivery isn't in progress any more, unless it isn't.
    pub(super) fn end_of(&mut self, key: Key<'_>) -> Option<watch::Receiver<()>> {
        let record_key = self.record_key(key);
        let held = self.in_progress.get_mut(&record_key)?;
        Some(held.end.get_or_insert_with(|| watch::Sender::new(())).subscribe())
    }

    fn record_key(&mut self, key: Key<'_>) -> RecordKey {
        let scope = match self.scopes.get(key.scope) {
            Some(scope) => *scope,
            None => {
                let scope = self.scopes.len();
                self.scopes.insert(key.scope.into(), scope);
                scope
            }
        };
        (scope, key.id)
    }

    fn completed_by(&mut self, record_key: RecordKey, now: Instant) -> Option<Owner> {
        let record = self.completed.get(&record_key)?;
        if record.is_expired(now) {
            self.completed.remove(&record_key);
            return None;
        }
        Some(record.owner)
    }

    fn held_by_another(
        &self,
        record_key: RecordKey,
        owner: Owner,
        now: Instant,
    ) -> Option<Instant> {
        let record = &self.in_progress.get(&record_key)?.record;
        (record.owner != owner && !record.is_expired(now)).then_some(record.until)
    }

    fn hold(
        &mut self,
        record_key: RecordKey,
        owner: Owner,
        lease: Duration,
        now: Instant,
    ) -> Result<(), StoreError> {
        let end = match self.in_progress.remove(&record_key) {
            Some(held) => held.end,
            None => {
                self.make_room(now)?;
                None
            }
        };
        let until = after(now, lease);
        self.swept_until = self.swept_until.map(|swept| swept.min(until));
        self.in_progress.insert(record_key, Held { record: Record { owner, until }, end });
        Ok(())
    }

    /// Makes room for one more record, or fails.
    fn make_room(&mut self, now: Instant) -> Result<(), StoreError> {
        // Remove up to two expired records for each new one: expired records all go in time, and no single
        // operation takes long.
        for _ in 0..2 {
            if self.in_progress.front().is_some_and(|(_, held)| held.record.is_expired(now)) {
                self.in_progress.pop_front();
            }
            if self.completed.front().is_some_and(|(_, record)| record.is_expired(now)) {
                self.completed.pop_front();
            }
        }
        if self.is_full() && self.completed.pop_front().is_none() {
            self.sweep(now);
        }
        if self.is_full() {
            return Err(StoreError::new("the memory store is full of deliveries in progress"));
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.in_progress.len().saturating_add(self.completed.len()) >= self.capacity
    }

    /// Removes leases that expired behind longer ones.
    fn sweep(&mut self, now: Instant) {
        if self.swept_until.is_none_or(|until| until <= now) {
            self.in_progress.retain(|_, held| !held.record.is_expired(now));
            self.swept_until = self.in_progress.values().map(|held| held.record.until).min();
        }
    }
}

fn after(now: Instant, time: Duration) -> Instant {
    now.checked_add(duration::storable(time)).unwrap_or(now)
}
