//! `MemoryStore`: the contract, its clock and its capacity.

use std::{sync::Arc, time::Duration};

use pierre_webhook_dedup::{Claimed, Key, MemoryStore, Store, store_contract};
use tokio::time::advance;

use crate::unique::{LONG, id, is_yours, key, owner};

mod keeps_the_contract {
    use super::*;

    store_contract!(MemoryStore::new());
}

mod keeps_the_contract_behind_an_arc {
    use super::*;

    store_contract!(Arc::new(MemoryStore::default()));
}

#[tokio::test(start_paused = true)]
async fn a_lease_and_a_retention_in_memory_end_at_their_instant() {
    let (store, key, first, second) = (MemoryStore::new(), key(), owner(), owner());
    let second_claims = || async { store.claim(key, second, LONG).await.unwrap() };
    assert!(is_yours(&store.claim(key, first, Duration::from_secs(60)).await.unwrap()));
    advance(Duration::from_millis(59_999)).await;
    let retry_after = Duration::from_millis(1);
    assert_eq!(second_claims().await, Claimed::InProgress { retry_after });
    advance(Duration::from_millis(1)).await;
    assert!(is_yours(&second_claims().await));

    assert!(store.complete(key, second, Duration::from_secs(60)).await.unwrap());
    advance(Duration::from_millis(59_999)).await;
    assert_eq!(second_claims().await, Claimed::Completed);
    advance(Duration::from_millis(1)).await;
    assert!(!store.forget(key).await.unwrap(), "an expired record counts as none");
    assert!(is_yours(&second_claims().await));
}

#[tokio::test(start_paused = true)]
async fn a_full_memory_store_forgets_the_oldest_completed_delivery_first() {
    let store = MemoryStore::with_capacity(3);
    let (old, new, working) = (key(), key(), key());
    assert!(is_yours(&store.claim(working, owner(), LONG).await.unwrap()));
    for key in [old, new] {
        assert!(store.complete(key, owner(), LONG).await.unwrap());
    }
    assert!(is_yours(&store.claim(key(), owner(), LONG).await.unwrap()));
    assert_eq!(store.claim(new, owner(), LONG).await.unwrap(), Claimed::Completed);
    assert!(!store.forget(old).await.unwrap());
    assert!(matches!(
        store.claim(working, owner(), LONG).await.unwrap(),
        Claimed::InProgress { .. }
    ));
}

#[tokio::test(start_paused = true)]
async fn a_claim_fails_if_the_memory_store_is_full_of_deliveries_in_progress() {
    // A capacity of 0 is 1.
    for capacity in [0, 1] {
        let store = MemoryStore::with_capacity(capacity);
        let (working, owner, other) = (key(), owner(), owner());
        assert!(is_yours(&store.claim(working, owner, LONG).await.unwrap()));
        let error = store.claim(key(), other, LONG).await.unwrap_err();
        assert_eq!(error.to_string(), "the memory store is full of deliveries in progress");
        store.complete(key(), other, LONG).await.unwrap_err();
        store.renew(key(), other, LONG).await.unwrap_err();
        assert!(store.renew(working, owner, LONG).await.unwrap());
        assert!(store.complete(working, owner, LONG).await.unwrap());
        assert!(is_yours(&store.claim(key(), other, LONG).await.unwrap()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_expired_behind_a_longer_one_makes_room_in_memory() {
    let store = MemoryStore::with_capacity(2);
    let second = Duration::from_secs(1);
    assert!(is_yours(&store.claim(key(), owner(), LONG).await.unwrap()));
    assert!(is_yours(&store.claim(key(), owner(), second).await.unwrap()));
    store.claim(key(), owner(), LONG).await.unwrap_err();
    advance(second).await;
    assert!(is_yours(&store.claim(key(), owner(), LONG).await.unwrap()));
    store.claim(key(), owner(), LONG).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn a_shorter_lease_claimed_after_a_sweep_makes_room_when_it_expires() {
    let store = MemoryStore::with_capacity(2);
    let (working, owner) = (key(), owner());
    let second = Duration::from_secs(1);
    for key in [key(), working] {
        assert!(is_yours(&store.claim(key, owner, LONG).await.unwrap()));
    }
    // This sweep finds that no lease will expire for long.
    store.claim(key(), owner, LONG).await.unwrap_err();
    store.release(working, owner).await.unwrap();
    assert!(is_yours(&store.claim(key(), owner, second).await.unwrap()));
    store.claim(key(), owner, LONG).await.unwrap_err();
    advance(second).await;
    assert!(is_yours(&store.claim(key(), owner, LONG).await.unwrap()));
}

#[tokio::test(start_paused = true)]
async fn clones_of_a_memory_store_share_records_and_separate_stores_do_not() {
    let (store, id) = (MemoryStore::new(), id());
    let key = Key::new("mailer", id);
    assert!(store.clone().complete(key, owner(), LONG).await.unwrap());
    assert_eq!(store.claim(key, owner(), LONG).await.unwrap(), Claimed::Completed);
    assert!(is_yours(&MemoryStore::new().claim(key, owner(), LONG).await.unwrap()));
}
