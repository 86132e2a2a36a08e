//! Ids, keys and owners that no other test uses.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use pierre_webhook_dedup::{Claimed, DeliveryId, Key, Owner, Store};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

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

/// Waits until the store claims a new key.
pub(crate) async fn heals(store: &impl Store) {
    let start = Instant::now();
    while let Err(error) = store.claim(key(), owner(), LONG).await {
        assert!(start.elapsed() < Duration::from_secs(20), "it does not heal: {error}");
        sleep(Duration::from_millis(10)).await;
    }
}

/// In each round, all stores claim one key at the same time, and the winner releases it. One wins each round, with a
/// larger fencing token than before.
pub(crate) async fn one_wins_each_round(stores: &[impl Store + Clone], rounds: usize) {
    let (key, mut last) = (key(), 0);
    for _ in 0..rounds {
        let mut claims = JoinSet::new();
        for store in stores {
            let (store, owner) = (store.clone(), owner());
            claims.spawn(async move {
                match store.claim(key, owner, LONG).await.unwrap() {
                    Claimed::Yours { fencing_token } => Some((owner, fencing_token)),
                    _ => None,
                }
            });
        }
        let winners: Vec<_> = claims.join_all().await.into_iter().flatten().collect();
        let [(owner, token)] = winners[..] else { panic!("{winners:?}") };
        assert!(token > last, "{token} after {last}");
        last = token;
        stores[0].release(key, owner).await.unwrap();
    }
}
