//! What every store must keep to. The same checks for all of them, each with ids of its own.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use pierre_webhook_dedup::{Claimed, DeliveryId, Key, Owner, Store};
use tokio::time::{Instant, sleep};

/// Longer than any check takes.
pub(crate) const LONG: Duration = Duration::from_secs(3600);
/// Long enough for a few operations, and soon over.
pub(crate) const SHORT: Duration = Duration::from_millis(150);

pub(crate) async fn holds(store: &impl Store) {
    of_many_racers_one_has_the_claim(store).await;
    a_claim_that_is_asked_again_is_still_yours(store).await;
    an_answer_says_how_long_the_lease_is_still(store).await;
    completed_never_goes_back_to_in_progress(store).await;
    whoever_lost_the_lease_cannot_touch_the_claim_of_another(store).await;
    a_completion_is_recorded_also_where_the_lease_has_lapsed(store).await;
    a_second_completion_does_not_extend_the_retention(store).await;
    a_renewal_takes_back_what_has_no_record(store).await;
    what_is_released_or_abandoned_can_be_claimed(store).await;
    forgetting_removes_any_record(store).await;
    scopes_do_not_bleed(store).await;
    no_time_is_too_short_or_too_long(store).await;
}

async fn of_many_racers_one_has_the_claim(store: &impl Store) {
    let key = key();
    let mut winners = 0;
    let claims: Vec<_> = (0..50).map(|_| store.claim(key, owner(), LONG)).collect();
    for claim in claims {
        match claim.await.unwrap() {
            Claimed::Yours => winners += 1,
            other => assert!(matches!(other, Claimed::InProgress { .. }), "{other:?}"),
        }
    }
    assert_eq!(winners, 1);
}

async fn a_claim_that_is_asked_again_is_still_yours(store: &impl Store) {
    let (key, owner) = (key(), owner());
    assert_eq!(store.claim(key, owner, LONG).await.unwrap(), Claimed::Yours);
    assert_eq!(store.claim(key, owner, LONG).await.unwrap(), Claimed::Yours);
}

async fn an_answer_says_how_long_the_lease_is_still(store: &impl Store) {
    let key = key();
    assert_eq!(store.claim(key, owner(), LONG).await.unwrap(), Claimed::Yours);
    match store.claim(key, owner(), SHORT).await.unwrap() {
        Claimed::InProgress { retry_after } => {
            assert!(retry_after <= LONG && retry_after > LONG / 2, "{retry_after:?}");
        }
        other => panic!("{other:?}"),
    }
}

async fn completed_never_goes_back_to_in_progress(store: &impl Store) {
    let (key, owner, another) = (key(), owner(), owner());
    assert_eq!(store.claim(key, owner, LONG).await.unwrap(), Claimed::Yours);
    assert!(store.complete(key, owner, LONG).await.unwrap());
    assert!(store.complete(key, owner, LONG).await.unwrap(), "its own, asked again");
    assert!(!store.complete(key, another, LONG).await.unwrap());
    for who in [owner, another] {
        assert_eq!(store.claim(key, who, LONG).await.unwrap(), Claimed::Completed);
        assert!(!store.renew(key, who, LONG).await.unwrap());
        store.release(key, who).await.unwrap();
        store.abandon(key, who);
        assert_eq!(store.claim(key, who, LONG).await.unwrap(), Claimed::Completed);
    }
}

async fn whoever_lost_the_lease_cannot_touch_the_claim_of_another(store: &impl Store) {
    let (key, late, another) = (key(), owner(), owner());
    assert_eq!(store.claim(key, late, SHORT).await.unwrap(), Claimed::Yours);
    until_claimed(store, key, another).await;
    assert!(!store.complete(key, late, LONG).await.unwrap());
    assert!(!store.renew(key, late, LONG).await.unwrap());
    store.release(key, late).await.unwrap();
    store.abandon(key, late);
    assert!(matches!(store.claim(key, late, LONG).await.unwrap(), Claimed::InProgress { .. }));
    assert!(store.complete(key, another, LONG).await.unwrap());
}

async fn a_completion_is_recorded_also_where_the_lease_has_lapsed(store: &impl Store) {
    let (absent, owner) = (key(), owner());
    assert!(store.complete(absent, owner, LONG).await.unwrap());
    assert_eq!(store.claim(absent, owner, LONG).await.unwrap(), Claimed::Completed);
}

async fn a_second_completion_does_not_extend_the_retention(store: &impl Store) {
    let (key, owner) = (key(), owner());
    assert!(store.complete(key, owner, SHORT).await.unwrap());
    assert!(store.complete(key, owner, LONG).await.unwrap());
    until_claimed(store, key, owner).await;
}

async fn a_renewal_takes_back_what_has_no_record(store: &impl Store) {
    let (key, owner) = (key(), owner());
    assert!(store.renew(key, owner, LONG).await.unwrap());
    let other = store.claim(key, self::owner(), LONG).await.unwrap();
    assert!(matches!(other, Claimed::InProgress { .. }), "{other:?}");

    // A renewal holds for a whole lease from then on.
    assert!(store.renew(key, owner, SHORT).await.unwrap());
    assert!(store.renew(key, owner, LONG).await.unwrap());
    let start = Instant::now();
    while start.elapsed() < 2 * SHORT {
        assert!(matches!(
            store.claim(key, self::owner(), LONG).await.unwrap(),
            Claimed::InProgress { .. }
        ));
        sleep(SHORT / 4).await;
    }
}

async fn what_is_released_or_abandoned_can_be_claimed(store: &impl Store) {
    let (key, first, second, third) = (key(), owner(), owner(), owner());
    assert_eq!(store.claim(key, first, LONG).await.unwrap(), Claimed::Yours);
    store.release(key, first).await.unwrap();
    store.release(key, first).await.unwrap();
    assert_eq!(store.claim(key, second, LONG).await.unwrap(), Claimed::Yours);
    store.abandon(key, second);
    until_claimed(store, key, third).await;
}

async fn forgetting_removes_any_record(store: &impl Store) {
    let (key, owner, another) = (key(), owner(), owner());
    assert!(!store.forget(key).await.unwrap());
    assert_eq!(store.claim(key, owner, LONG).await.unwrap(), Claimed::Yours);
    assert!(store.forget(key).await.unwrap());
    assert!(store.renew(key, owner, LONG).await.unwrap(), "it is taken back");
    assert!(store.complete(key, owner, LONG).await.unwrap());
    assert!(store.forget(key).await.unwrap());
    assert!(!store.forget(key).await.unwrap());
    assert_eq!(store.claim(key, another, LONG).await.unwrap(), Claimed::Yours);
}

async fn scopes_do_not_bleed(store: &impl Store) {
    let id = key().id;
    for scope in ["", "mailer", "mailer:", "deployer"] {
        let (key, owner) = (Key::new(scope, id), owner());
        assert_eq!(store.claim(key, owner, LONG).await.unwrap(), Claimed::Yours, "{scope}");
        assert!(store.complete(key, owner, LONG).await.unwrap());
        assert_eq!(store.claim(key, owner, LONG).await.unwrap(), Claimed::Completed);
    }
}

async fn no_time_is_too_short_or_too_long(store: &impl Store) {
    for short in [Duration::ZERO, Duration::from_nanos(1), Duration::from_micros(999)] {
        let (key, first, second) = (key(), owner(), owner());
        assert_eq!(store.claim(key, first, short).await.unwrap(), Claimed::Yours);
        until_claimed(store, key, second).await;
        assert!(store.renew(key, second, short).await.unwrap());
        until_claimed(store, key, first).await;
        assert!(store.complete(key, first, short).await.unwrap());
        until_claimed(store, key, second).await;
    }
    let (key, owner, another) = (key(), owner(), owner());
    assert_eq!(store.claim(key, owner, Duration::MAX).await.unwrap(), Claimed::Yours);
    assert!(store.renew(key, owner, Duration::MAX).await.unwrap());
    assert!(matches!(store.claim(key, another, LONG).await.unwrap(), Claimed::InProgress { .. }));
    assert!(store.complete(key, owner, Duration::MAX).await.unwrap());
    assert_eq!(store.claim(key, another, LONG).await.unwrap(), Claimed::Completed);
}

/// Claims as soon as the store lets it.
pub(crate) async fn until_claimed(store: &impl Store, key: Key<'_>, owner: Owner) {
    let start = Instant::now();
    while store.claim(key, owner, LONG).await.unwrap() != Claimed::Yours {
        assert!(start.elapsed() < Duration::from_secs(10), "{key} is stuck");
        sleep(Duration::from_millis(5)).await;
    }
}

/// A key that nobody else uses.
pub(crate) fn key() -> Key<'static> {
    Key::new("", id())
}

/// An id that nobody else uses.
pub(crate) fn id() -> DeliveryId {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    DeliveryId::from(bytes)
}

pub(crate) fn owner() -> Owner {
    Owner::random().unwrap()
}
