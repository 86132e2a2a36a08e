//! Ids, keys and owners that no other test uses.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use pierre_webhook_dedup::{Claimed, DeliveryId, Key, Owner, Store};
use tokio::time::{Instant, sleep};

/// Longer than any test takes.
pub(crate) const LONG: Duration = Duration::from_secs(3600);

pub(crate) fn id() -> DeliveryId {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    DeliveryId::from(bytes)
}

pub(crate) fn key() -> Key<'static> {
    Key::new("", id())
}

pub(crate) fn owner() -> Owner {
    Owner::random().unwrap()
}

pub(crate) fn is_yours(claimed: &Claimed) -> bool {
    matches!(claimed, Claimed::Yours { .. })
}

/// Claims the key as soon as the store allows it.
pub(crate) async fn until_claimed(store: &impl Store, key: Key<'_>, owner: Owner) {
    let start = Instant::now();
    while !is_yours(&store.claim(key, owner, LONG).await.unwrap()) {
        assert!(start.elapsed() < Duration::from_secs(10), "{key} is stuck");
        sleep(Duration::from_millis(5)).await;
    }
}
