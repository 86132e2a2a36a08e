//! What the checks ask a store, and how long they wait.

use std::{fmt, time::Duration};

use pierre_webhook_core::DeliveryId;
use tokio::time::{Instant, sleep};

use crate::{
    owner::Owner,
    store::{Claimed, Key, Store, StoreFuture},
};

/// Longer than any check takes.
pub(super) const LONG: Duration = Duration::from_secs(3600);
pub(super) const HALF_OF_LONG: Duration = Duration::from_secs(1800);
/// Long enough for a few operations, and soon over.
pub(super) const SHORT: Duration = Duration::from_millis(150);
pub(super) const TWICE_SHORT: Duration = Duration::from_millis(300);
/// How long a check waits for a lease or a retention of `SHORT` to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// Claims the key as soon as the store allows it, and returns the fencing token.
pub(super) async fn claim_soon(store: &impl Store, key: Key<'_>, owner: Owner) -> u64 {
    claim_soon_for(store, key, owner, LONG).await
}

pub(super) async fn claim_soon_for(
    store: &impl Store,
    key: Key<'_>,
    owner: Owner,
    lease: Duration,
) -> u64 {
    let start = Instant::now();
    loop {
        match done(store.claim(key, owner, lease)).await {
            Claimed::Yours { fencing_token } => return fencing_token,
            other => assert!(start.elapsed() < PATIENCE, "{key} is stuck: {other:?}"),
        }
        sleep(Duration::from_millis(5)).await;
    }
}

pub(super) fn is_yours(claimed: &Claimed) -> bool {
    matches!(claimed, Claimed::Yours { .. })
}

/// Returns the fencing token.
#[track_caller]
#[expect(clippy::panic, reason = "a check fails by a panic, as every test does")]
pub(super) fn assert_is_yours(claimed: Claimed) -> u64 {
    match claimed {
        Claimed::Yours { fencing_token } => fencing_token,
        other => panic!("not claimed: {other:?}"),
    }
}

pub(super) async fn assert_is_in_progress(store: &impl Store, key: Key<'_>, owner: Owner) {
    let claimed = done(store.claim(key, owner, LONG)).await;
    assert!(matches!(claimed, Claimed::InProgress { .. }), "{claimed:?}");
}

pub(super) async fn done<T>(operation: StoreFuture<'_, T>) -> T {
    succeeded(operation.await)
}

/// A key that nobody else uses.
pub(super) fn key() -> Key<'static> {
    let mut bytes = [0; 32];
    succeeded(getrandom::fill(&mut bytes));
    Key::new("", DeliveryId::from(bytes))
}

pub(super) fn owner() -> Owner {
    succeeded(Owner::random())
}

#[track_caller]
#[expect(clippy::panic, reason = "a check fails by a panic, as every test does")]
pub(super) fn succeeded<T, E: fmt::Display>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("the store failed: {error}"),
    }
}
