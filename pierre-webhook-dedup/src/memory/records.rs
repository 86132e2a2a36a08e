//! What the memory store knows.

use std::{collections::HashMap, time::Duration};

use hashlink::LinkedHashMap;
use pierre_webhook_core::DeliveryId;
use tokio::time::Instant;

use crate::{
    error::StoreError,
    expiry,
    owner::Owner,
    store::{Claimed, Key},
};

/// No place is in both maps.
pub(super) struct Records {
    capacity: usize,
    /// In the order of the claims and renewals.
    in_progress: LinkedHashMap<Place, Record>,
    /// In the order of the completions.
    completed: LinkedHashMap<Place, Record>,
    /// Numbers for the scopes, so that no record holds a name.
    scopes: HashMap<Box<str>, usize>,
    /// No lease that lapses is behind another before this instant.
    swept_until: Option<Instant>,
}

type Place = (usize, DeliveryId);

struct Record {
    owner: Owner,
    until: Instant,
}

impl Record {
    fn is_expired(&self, now: Instant) -> bool {
        self.until <= now
    }
}

impl Records {
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
    ) -> Result<Claimed, StoreError> {
        let (now, place) = (Instant::now(), self.place(key));
        if self.completed_by(place, now).is_some() {
            return Ok(Claimed::Completed);
        }
        if let Some(until) = self.held_by_another(place, owner, now) {
            return Ok(Claimed::InProgress { retry_after: until.duration_since(now) });
        }
        self.hold(place, owner, lease, now)?;
        Ok(Claimed::Yours)
    }

    pub(super) fn renew(
        &mut self,
        key: Key<'_>,
        owner: Owner,
        lease: Duration,
    ) -> Result<bool, StoreError> {
        Ok(self.claim(key, owner, lease)? == Claimed::Yours)
    }

    pub(super) fn complete(
        &mut self,
        key: Key<'_>,
        owner: Owner,
        retention: Duration,
    ) -> Result<bool, StoreError> {
        let (now, place) = (Instant::now(), self.place(key));
        if let Some(by) = self.completed_by(place, now) {
            return Ok(by == owner);
        }
        if self.held_by_another(place, owner, now).is_some() {
            return Ok(false);
        }
        if self.in_progress.remove(&place).is_none() {
            self.make_room(now)?;
        }
        self.completed.insert(place, Record { owner, until: after(now, retention) });
        Ok(true)
    }

    pub(super) fn release(&mut self, key: Key<'_>, owner: Owner) {
        let place = self.place(key);
        if self.in_progress.get(&place).is_some_and(|record| record.owner == owner) {
            self.in_progress.remove(&place);
        }
    }

    pub(super) fn forget(&mut self, key: Key<'_>) -> bool {
        let (now, place) = (Instant::now(), self.place(key));
        let record = self.completed.remove(&place).or_else(|| self.in_progress.remove(&place));
        record.is_some_and(|record| !record.is_expired(now))
    }

    fn place(&mut self, key: Key<'_>) -> Place {
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

    fn completed_by(&mut self, place: Place, now: Instant) -> Option<Owner> {
        let record = self.completed.get(&place)?;
        if record.is_expired(now) {
            self.completed.remove(&place);
            return None;
        }
        Some(record.owner)
    }

    fn held_by_another(&self, place: Place, owner: Owner, now: Instant) -> Option<Instant> {
        let record = self.in_progress.get(&place)?;
        (record.owner != owner && !record.is_expired(now)).then_some(record.until)
    }

    fn hold(
        &mut self,
        place: Place,
        owner: Owner,
        lease: Duration,
        now: Instant,
    ) -> Result<(), StoreError> {
        if self.in_progress.remove(&place).is_none() {
            self.make_room(now)?;
        }
        let until = after(now, lease);
        self.swept_until = self.swept_until.map(|swept| swept.min(until));
        self.in_progress.insert(place, Record { owner, until });
        Ok(())
    }

    /// Makes room for one more record.
    fn make_room(&mut self, now: Instant) -> Result<(), StoreError> {
        // Two for each that comes: in time all that expired are gone, and no operation takes long.
        for records in [&mut self.in_progress, &mut self.completed] {
            for _ in 0..2 {
                if records.front().is_some_and(|(_, record)| record.is_expired(now)) {
                    records.pop_front();
                }
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

    /// Clears away the leases that lapsed behind longer ones.
    fn sweep(&mut self, now: Instant) {
        if self.swept_until.is_none_or(|until| until <= now) {
            self.in_progress.retain(|_, record| !record.is_expired(now));
            self.swept_until = self.in_progress.values().map(|record| record.until).min();
        }
    }
}

fn after(now: Instant, time: Duration) -> Instant {
    now.checked_add(expiry::bounded(time)).unwrap_or(now)
}
