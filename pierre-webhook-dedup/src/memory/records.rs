//! The records of the memory store, in two pools.

use std::time::Duration;

use tokio::sync::watch;

use super::pool::Pool;
use crate::{
    error::StoreError,
    owner::Owner,
    store::{Claimed, Key},
};

/// The name of an unknown event isn't signed, so one captured delivery can be sent under any number of names. Unknown
/// events have a pool of their own: however many there are, they push out no record of a known event.
pub(super) struct Records {
    known: Pool,
    unknown: Pool,
    /// How many claims were asked for: the fencing token of the last one.
    claims: u64,
}

impl Records {
    pub(super) fn new(capacity: usize) -> Self {
        /// An unknown event is rare until this crate is updated.
        const SHARE: usize = 8;
        let unknown = Pool::new(capacity.div_ceil(SHARE));
        Self { known: Pool::new(capacity), unknown, claims: 0 }
    }

    pub(super) fn claim(
        &mut self,
        key: Key<'_>,
        owner: Owner,
        lease: Duration,
    ) -> Result<Claimed, StoreError> {
        self.claims = self.claims.saturating_add(1);
        let token = self.claims;
        self.pool(key).claim(key, owner, lease, token)
    }

    pub(super) fn renew(
        &mut self,
        key: Key<'_>,
        owner: Owner,
        lease: Duration,
    ) -> Result<bool, StoreError> {
        Ok(matches!(self.claim(key, owner, lease)?, Claimed::Yours { .. }))
    }

    pub(super) fn complete(
        &mut self,
        key: Key<'_>,
        owner: Owner,
        retention: Duration,
    ) -> Result<bool, StoreError> {
        self.pool(key).complete(key, owner, retention)
    }

    pub(super) fn release(&mut self, key: Key<'_>, owner: Owner) {
        self.pool(key).release(key, owner);
    }

    pub(super) fn end_of(&mut self, key: Key<'_>) -> Option<watch::Receiver<()>> {
        self.pool(key).end_of(key)
    }

    pub(super) fn forget(&mut self, key: Key<'_>) -> bool {
        let known = self.known.forget(key);
        self.unknown.forget(key) || known
    }

    fn pool(&mut self, key: Key<'_>) -> &mut Pool {
        if key.is_unknown_event { &mut self.unknown } else { &mut self.known }
    }
}
