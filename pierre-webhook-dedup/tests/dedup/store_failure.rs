//! `Dedup` over a store that fails.

use std::{convert::Infallible, time::Duration};

use pierre_webhook_dedup::{Begun, Dedup, DeliveryId, Once, OnceError, Recorded};
use tokio::time::sleep;

use crate::{
    faulty::{Fault, Faulty, Operation},
    unique::id,
};

const MINUTE: Duration = Duration::from_secs(60);

async fn once(dedup: &Dedup, id: DeliveryId) -> Result<Once<&'static str>, OnceError<Infallible>> {
    dedup.once(id, async || Ok("done")).await
}

async fn is_completed(dedup: &Dedup, id: DeliveryId) -> bool {
    matches!(dedup.begin(id).await, Ok(Begun::Completed))
}

#[tokio::test(start_paused = true)]
async fn if_the_claim_fails_the_work_does_not_run() {
    let store = Faulty::new();
    let (dedup, id) = (Dedup::new(store.clone()), id());
    store.set_all(Fault::Down);
    let work = async || -> Result<(), Infallible> { panic!("it must not run") };
    match dedup.once(id, work).await {
        Err(OnceError::Store(error)) => assert_eq!(error.to_string(), "the store is down"),
        other => panic!("{other:?}"),
    }
    store.set_all(Fault::None);
    assert!(matches!(once(&dedup, id).await, Ok(Once::Ran { recorded: Recorded::Yes, .. })));
}

#[tokio::test(start_paused = true)]
async fn a_claim_whose_answer_was_lost_is_released() {
    let store = Faulty::new();
    let (dedup, id) = (Dedup::new(store.clone()), id());
    store.set(Operation::Claim, Fault::AnswerLost);
    assert!(matches!(once(&dedup, id).await, Err(OnceError::Store(_))));
    store.set(Operation::Claim, Fault::None);
    sleep(Duration::from_millis(1)).await;
    assert!(matches!(once(&dedup, id).await, Ok(Once::Ran { recorded: Recorded::Yes, .. })));
}

#[tokio::test(start_paused = true)]
async fn a_completion_that_fails_is_recorded_when_the_store_is_back() {
    for fault in [Fault::Down, Fault::AnswerLost] {
        let store = Faulty::new();
        let (dedup, id) = (Dedup::new(store.clone()), id());
        store.set(Operation::Complete, fault);
        let first = once(&dedup, id).await;
        let expected = Once::Ran { value: "done", recorded: Recorded::Retrying };
        assert_eq!(first.unwrap(), expected, "{fault:?}");
        sleep(MINUTE / 2).await;
        store.set(Operation::Complete, Fault::None);
        sleep(Duration::from_secs(6)).await;
        assert!(is_completed(&dedup, id).await, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_completion_is_retried_for_fifteen_minutes() {
    let store = Faulty::new();
    let (dedup, id) = (Dedup::new(store.clone()), id());
    store.set(Operation::Complete, Fault::Down);
    assert!(matches!(once(&dedup, id).await, Ok(Once::Ran { recorded: Recorded::Retrying, .. })));
    sleep(14 * MINUTE).await;
    let tries = store.calls(Operation::Complete);
    assert!((100..1000).contains(&tries), "{tries} in 14 minutes");
    sleep(MINUTE).await;
    assert!(store.calls(Operation::Complete) > tries);
    sleep(MINUTE).await;
    let tries = store.calls(Operation::Complete);
    sleep(60 * MINUTE).await;
    assert_eq!(store.calls(Operation::Complete), tries);
}

#[tokio::test(start_paused = true)]
async fn a_completion_continues_after_its_caller_is_dropped() {
    let store = Faulty::new();
    let (dedup, id) = (Dedup::new(store.clone()), id());
    store.set(Operation::Complete, Fault::Slow(Duration::from_secs(2)));
    tokio::select! {
        _ = once(&dedup, id) => panic!("it takes two seconds"),
        () = sleep(Duration::from_secs(1)) => {}
    }
    sleep(Duration::from_secs(3)).await;
    assert!(is_completed(&dedup, id).await);

    // So does the completion of a claim from `begin`, even if it was never polled.
    let id = self::id();
    let Begun::Claimed(claim) = dedup.begin(id).await.unwrap() else { panic!("it is free") };
    drop(claim.complete());
    sleep(Duration::from_secs(3)).await;
    assert!(is_completed(&dedup, id).await);

    let id = self::id();
    let Begun::Claimed(claim) = dedup.begin(id).await.unwrap() else { panic!("it is free") };
    tokio::select! {
        _ = claim.complete() => panic!("it takes two seconds"),
        () = sleep(Duration::from_secs(1)) => {}
    }
    sleep(Duration::from_secs(3)).await;
    assert!(is_completed(&dedup, id).await);
}

#[tokio::test(start_paused = true)]
async fn a_release_that_fails_does_not_hide_the_error_of_the_work() {
    let store = Faulty::new();
    let (dedup, id) = (Dedup::new(store.clone()), id());
    store.set(Operation::Release, Fault::Down);
    let failed = dedup.once(id, async || Err::<(), _>("the disk is full")).await;
    assert!(matches!(failed, Err(OnceError::Work("the disk is full"))), "{failed:?}");
    // The lease expires instead.
    sleep(MINUTE).await;
    assert!(matches!(once(&dedup, id).await, Ok(Once::Ran { recorded: Recorded::Yes, .. })));
}

#[tokio::test(start_paused = true)]
async fn with_fail_open_a_delivery_is_handled_unclaimed_and_recorded_later() {
    let store = Faulty::new();
    let (dedup, id) = (Dedup::new(store.clone()).fail_open(), id());
    store.set_all(Fault::Down);
    let slow = dedup.once(id, async || {
        sleep(5 * MINUTE).await;
        Ok::<_, Infallible>("done")
    });
    let expected = Once::Ran { value: "done", recorded: Recorded::Retrying };
    assert_eq!(slow.await.unwrap(), expected);
    assert_eq!(store.calls(Operation::Renew), 0, "an unclaimed delivery has no lease");
    assert!(matches!(dedup.begin(self::id()).await, Ok(Begun::Claimed(_))));
    store.set_all(Fault::None);
    sleep(Duration::from_secs(6)).await;
    assert!(is_completed(&dedup, id).await);
    // Once the store is back, deliveries are deduplicated again.
    assert!(matches!(once(&dedup, id).await, Ok(Once::Completed)));
}

#[tokio::test(start_paused = true)]
async fn at_most_ten_thousand_completions_wait_in_the_background() {
    let store = Faulty::new();
    let dedup = Dedup::new(store.clone()).fail_open();
    store.set_all(Fault::Down);
    let mut ids = Vec::new();
    for _ in 0..10_001 {
        let id = id();
        assert!(matches!(once(&dedup, id).await, Ok(Once::Ran { .. })));
        ids.push(id);
    }
    store.set_all(Fault::None);
    sleep(Duration::from_secs(6)).await;
    let mut completed = 0;
    for id in &ids {
        completed += usize::from(is_completed(&dedup, *id).await);
    }
    assert_eq!(completed, 10_000);
    // The permits were given back.
    store.set(Operation::Complete, Fault::Down);
    let last = id();
    assert!(matches!(once(&dedup, last).await, Ok(Once::Ran { .. })));
    store.set_all(Fault::None);
    sleep(Duration::from_secs(6)).await;
    assert!(is_completed(&dedup, last).await);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_panics_leaves_nothing_stuck() {
    for operation in [Operation::Claim, Operation::Renew, Operation::Complete, Operation::Release] {
        for succeeds in [true, false] {
            let store = Faulty::new();
            let (dedup, id) = (Dedup::new(store.clone()), id());
            store.set(operation, Fault::Panics);
            let ran = tokio::spawn({
                let dedup = dedup.clone();
                let work = async move || {
                    sleep(MINUTE / 2).await;
                    if succeeds { Ok(()) } else { Err("the disk is full") }
                };
                async move { dedup.once(id, work).await }
            });
            let ran = ran.await;
            store.set_all(Fault::None);
            // If the release failed, the lease expires.
            sleep(MINUTE).await;
            let next = once(&dedup, id).await.unwrap();
            match (operation, succeeds) {
                (Operation::Claim, _) | (Operation::Release, false) => {
                    assert!(ran.unwrap_err().is_panic());
                }
                (_, true) => assert!(matches!(ran.unwrap(), Ok(Once::Ran { .. }))),
                (_, false) => assert!(matches!(ran.unwrap(), Err(OnceError::Work(_)))),
            }
            match (operation, succeeds) {
                (Operation::Renew | Operation::Release | Operation::Complete, true) => {
                    assert_eq!(next, Once::Completed);
                }
                _ => assert!(matches!(next, Once::Ran { recorded: Recorded::Yes, .. })),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_completion_that_panics_is_retried_until_it_is_recorded() {
    let store = Faulty::new();
    let (dedup, id) = (Dedup::new(store.clone()), id());
    store.set(Operation::Complete, Fault::Panics);
    let expected = Once::Ran { value: "done", recorded: Recorded::Retrying };
    assert_eq!(once(&dedup, id).await.unwrap(), expected);
    sleep(MINUTE).await;
    assert!(store.calls(Operation::Complete) > 10);
    store.set(Operation::Complete, Fault::None);
    sleep(Duration::from_secs(6)).await;
    assert!(is_completed(&dedup, id).await);
}

#[tokio::test(start_paused = true)]
async fn forgetting_a_delivery_cancels_its_completion_in_the_background_and_no_other() {
    let store = Faulty::new();
    let dedup = Dedup::new(store.clone());
    let (forgotten, kept) = (id(), id());
    store.set(Operation::Complete, Fault::Down);
    for id in [forgotten, kept] {
        let ran = once(&dedup, id).await;
        assert!(matches!(ran, Ok(Once::Ran { recorded: Recorded::Retrying, .. })), "{ran:?}");
    }
    assert!(dedup.forget(forgotten).await.unwrap());
    store.set(Operation::Complete, Fault::None);
    sleep(Duration::from_secs(6)).await;
    assert!(is_completed(&dedup, kept).await);
    assert!(!is_completed(&dedup, forgotten).await);
    assert!(dedup.shutdown(Duration::from_secs(1)).await.is_empty());
}

/// The completion in flight takes effect, and then it is forgotten.
#[tokio::test(start_paused = true)]
async fn forgetting_a_delivery_waits_for_its_completion_in_flight() {
    let store = Faulty::new();
    let (dedup, id) = (Dedup::new(store.clone()), id());
    store.set(Operation::Complete, Fault::Slow(Duration::from_secs(1)));
    let ran = tokio::spawn({
        let dedup = dedup.clone();
        async move { once(&dedup, id).await }
    });
    while store.calls(Operation::Complete) == 0 {
        tokio::task::yield_now().await;
    }
    assert!(dedup.forget(id).await.unwrap());
    assert!(matches!(ran.await.unwrap(), Ok(Once::Ran { recorded: Recorded::Yes, .. })));
    assert!(!is_completed(&dedup, id).await);
}
