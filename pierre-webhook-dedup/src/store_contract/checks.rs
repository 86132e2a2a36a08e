//! The checks, one rule of the contract each.

#![expect(
    clippy::missing_panics_doc,
    reason = "the docs of `store_contract` say it for all checks"
)]

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::probe::{
    HALF_OF_LONG, LONG, SHORT, TWICE_SHORT, assert_is_in_progress, assert_is_yours, claim_soon,
    claim_soon_for, done, is_yours, key, owner,
};
use crate::store::{Claimed, Key, Store};

/// Of 50 claims of one key by different owners, one wins; the others learn that the key is in progress.
pub async fn only_one_of_many_claims_of_a_key_wins(store: &impl Store) {
    let key = key();
    let claims: Vec<_> = (0..50).map(|_| store.claim(key, owner(), LONG)).collect();
    let mut claimed = Vec::new();
    for claim in claims {
        claimed.push(done(claim).await);
    }
    assert_eq!(claimed.iter().filter(|claimed| is_yours(claimed)).count(), 1);
    claimed.retain(|claimed| !is_yours(claimed));
    for other in claimed {
        assert!(matches!(other, Claimed::InProgress { .. }), "{other:?}");
    }
}

/// A claim that the owner already holds is [`Claimed::Yours`] again.
pub async fn a_repeated_claim_is_still_yours(store: &impl Store) {
    let (key, owner) = (key(), owner());
    assert_is_yours(done(store.claim(key, owner, LONG)).await);
    assert_is_yours(done(store.claim(key, owner, LONG)).await);
}

/// Each claim of a key has a larger number than those before it, however those ended, and a repeated claim or a renewal
/// doesn't make it smaller.
pub async fn the_fencing_token_grows_with_each_claim(store: &impl Store) {
    let (key, mut last) = (key(), 0);
    for end in
        ["released", "abandoned", "forgotten", "renewed and released", "expired", "completed"]
    {
        let (owner, lease) = (owner(), if end == "expired" { SHORT } else { LONG });
        let claimed = claim_soon_for(store, key, owner, lease).await;
        assert!(claimed > last, "{end}: {claimed} after {last}");
        last = assert_is_yours(done(store.claim(key, owner, lease)).await);
        assert!(last >= claimed, "{end}: a repeated claim has {last} after {claimed}");
        match end {
            "released" => done(store.release(key, owner)).await,
            "abandoned" => store.abandon(key, owner),
            "forgotten" => assert!(done(store.forget(key)).await),
            "renewed and released" => {
                assert!(done(store.renew(key, owner, LONG)).await);
                done(store.release(key, owner)).await;
                // A claim that lost its record and takes the key again by a renewal keeps its old number.
                assert!(done(store.renew(key, owner, LONG)).await);
                done(store.release(key, owner)).await;
            }
            "completed" => {
                assert!(done(store.complete(key, owner, SHORT)).await);
                let next = claim_soon(store, key, self::owner()).await;
                assert!(next > last, "{next} after {last}");
            }
            _ => {}
        }
    }
}

/// `retry_after` is what is left of the holder's lease, whatever lease the caller asks for.
pub async fn a_claim_in_progress_tells_what_is_left_of_its_lease(store: &impl Store) {
    let key = key();
    assert_is_yours(done(store.claim(key, owner(), LONG)).await);
    let claimed = done(store.claim(key, owner(), SHORT)).await;
    let is_left = |rest| rest <= LONG && rest > HALF_OF_LONG;
    assert!(
        matches!(claimed, Claimed::InProgress { retry_after } if is_left(retry_after)),
        "{claimed:?}"
    );
}

/// No claim, renewal, release or abandonment changes a completed key, whoever completed it.
pub async fn a_completed_key_never_goes_back_to_in_progress(store: &impl Store) {
    let (key, owner, another) = (key(), owner(), owner());
    assert_is_yours(done(store.claim(key, owner, LONG)).await);
    assert!(done(store.complete(key, owner, LONG)).await);
    assert!(done(store.complete(key, owner, LONG)).await, "its own, repeated");
    assert!(!done(store.complete(key, another, LONG)).await, "another's");
    for who in [owner, another] {
        assert_eq!(done(store.claim(key, who, LONG)).await, Claimed::Completed);
        assert!(!done(store.renew(key, who, LONG)).await);
        done(store.release(key, who)).await;
        store.abandon(key, who);
        assert_eq!(done(store.claim(key, who, LONG)).await, Claimed::Completed);
    }
}

/// Once a lease expired and another owner claimed the key, the late owner changes nothing.
pub async fn an_owner_whose_lease_expired_cannot_touch_the_claim_of_another(store: &impl Store) {
    let (key, late, another) = (key(), owner(), owner());
    assert_is_yours(done(store.claim(key, late, SHORT)).await);
    claim_soon(store, key, another).await;
    assert!(!done(store.complete(key, late, LONG)).await);
    assert!(!done(store.renew(key, late, LONG)).await);
    done(store.release(key, late)).await;
    store.abandon(key, late);
    assert_is_in_progress(store, key, late).await;
    assert!(done(store.complete(key, another, LONG)).await);
}

/// A completion is recorded even if the lease expired, or the store lost the claim.
pub async fn a_completion_is_recorded_even_without_a_claim(store: &impl Store) {
    let (key, owner) = (key(), owner());
    assert!(done(store.complete(key, owner, LONG)).await);
    assert_eq!(done(store.claim(key, owner, LONG)).await, Claimed::Completed);
}

/// A second completion by the same owner succeeds and keeps the first retention.
pub async fn a_repeated_completion_does_not_extend_the_retention(store: &impl Store) {
    let (key, owner) = (key(), owner());
    assert!(done(store.complete(key, owner, SHORT)).await);
    assert!(done(store.complete(key, owner, LONG)).await);
    claim_soon(store, key, owner).await;
}

/// A renewal claims a key that has no record, and each renewal lasts a whole lease from then on.
pub async fn a_renewal_claims_a_key_without_a_record_for_a_whole_lease(store: &impl Store) {
    let (key, owner, another) = (key(), owner(), owner());
    assert!(done(store.renew(key, owner, LONG)).await);
    assert_is_in_progress(store, key, another).await;

    assert!(done(store.renew(key, owner, SHORT)).await);
    assert!(done(store.renew(key, owner, LONG)).await);
    let start = Instant::now();
    while start.elapsed() < TWICE_SHORT {
        assert_is_in_progress(store, key, another).await;
        sleep(Duration::from_millis(40)).await;
    }
}

/// A released key can be claimed at once, and an abandoned one soon; a release may be repeated.
pub async fn a_released_or_abandoned_key_can_be_claimed(store: &impl Store) {
    let (key, first, second, third) = (key(), owner(), owner(), owner());
    assert_is_yours(done(store.claim(key, first, LONG)).await);
    done(store.release(key, first)).await;
    done(store.release(key, first)).await;
    assert_is_yours(done(store.claim(key, second, LONG)).await);
    store.abandon(key, second);
    claim_soon(store, key, third).await;
}

/// `forget` removes either kind of record, and tells whether there was one.
pub async fn forget_removes_a_record_in_progress_or_completed(store: &impl Store) {
    let (key, owner, another) = (key(), owner(), owner());
    assert!(!done(store.forget(key)).await);
    assert_is_yours(done(store.claim(key, owner, LONG)).await);
    assert!(done(store.forget(key)).await);
    assert!(done(store.renew(key, owner, LONG)).await, "claimed again by its renewal");
    assert!(done(store.complete(key, owner, LONG)).await);
    assert!(done(store.forget(key)).await);
    assert!(!done(store.forget(key)).await);
    assert_is_yours(done(store.claim(key, another, LONG)).await);
}

/// The same delivery in two scopes is two keys.
pub async fn scopes_are_separate(store: &impl Store) {
    let id = key().id;
    for scope in ["", "mailer", "mailer:", "deployer"] {
        let (key, owner) = (Key::new(scope, id), owner());
        assert_is_yours(done(store.claim(key, owner, LONG)).await);
        assert!(done(store.complete(key, owner, LONG)).await);
        assert_eq!(done(store.claim(key, owner, LONG)).await, Claimed::Completed);
    }
}

/// A lease or retention of next to nothing expires, and [`Duration::MAX`] overflows nothing.
pub async fn no_duration_is_too_short_or_too_long(store: &impl Store) {
    for short in [Duration::ZERO, Duration::from_nanos(1), Duration::from_micros(999)] {
        let (key, first, second) = (key(), owner(), owner());
        assert_is_yours(done(store.claim(key, first, short)).await);
        claim_soon(store, key, second).await;
        assert!(done(store.renew(key, second, short)).await);
        claim_soon(store, key, first).await;
        assert!(done(store.complete(key, first, short)).await);
        claim_soon(store, key, second).await;
    }
    let (key, owner, another) = (key(), owner(), owner());
    assert_is_yours(done(store.claim(key, owner, Duration::MAX)).await);
    assert!(done(store.renew(key, owner, Duration::MAX)).await);
    assert_is_in_progress(store, key, another).await;
    assert!(done(store.complete(key, owner, Duration::MAX)).await);
    assert_eq!(done(store.claim(key, another, LONG)).await, Claimed::Completed);
}
