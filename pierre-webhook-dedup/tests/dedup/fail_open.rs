//! `fail_open`: while the store is down, a process guards itself against duplicates.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use pierre_webhook_dedup::{Begun, Dedup, DeliveryId, Once, OnceError, Recorded};
use tokio::{task::JoinSet, time::sleep};

use crate::{
    faulty::{Fault, Faulty, Operation},
    unique::id,
};

const SECOND: Duration = Duration::from_secs(1);

async fn once(dedup: &Dedup, id: DeliveryId) -> Result<Once<&'static str>, OnceError<Infallible>> {
    dedup.once(id, async || Ok("done")).await
}

#[tokio::test(start_paused = true)]
async fn of_four_duplicates_in_one_process_one_runs_while_the_store_is_down() {
    for fault in [Fault::Down, Fault::AnswerLost] {
        let store = Faulty::new();
        let (dedup, id) = (Dedup::new(store.clone()).fail_open(), id());
        store.set_all(fault);
        let runs = Arc::new(AtomicUsize::new(0));
        let mut duplicates = JoinSet::new();
        for _ in 0..4 {
            let (dedup, runs) = (dedup.clone(), Arc::clone(&runs));
            duplicates.spawn(async move {
                let work = async || {
                    runs.fetch_add(1, Ordering::SeqCst);
                    sleep(SECOND).await;
                    Ok::<_, Infallible>(())
                };
                dedup.once(id, work).await.unwrap()
            });
        }
        let once = duplicates.join_all().await;
        let in_progress = once.iter().filter(|once| matches!(once, Once::InProgress { .. }));
        assert_eq!(
            (runs.load(Ordering::SeqCst), in_progress.count()),
            (1, 3),
            "{fault:?}: {once:?}"
        );
        // It is in the background, and counts as completed.
        assert_eq!(self::once(&dedup, id).await.unwrap(), Once::Completed, "{fault:?}");
        store.set_all(Fault::None);
        sleep(6 * SECOND).await;
        // Another process sees its record.
        assert_eq!(self::once(&Dedup::new(store), id).await.unwrap(), Once::Completed, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_claimed_or_completed_before_the_store_went_down_is_guarded_too() {
    let store = Faulty::new();
    let dedup = Dedup::new(store.clone()).fail_open();
    let (running, completed) = (id(), id());
    let Begun::Claimed(claim) = dedup.begin(running).await.unwrap() else { panic!("it is free") };
    assert!(matches!(once(&dedup, completed).await, Ok(Once::Ran { recorded: Recorded::Yes, .. })));
    store.set_all(Fault::Down);
    // For longer than the lease.
    sleep(60 * SECOND).await;
    assert!(matches!(once(&dedup, running).await, Ok(Once::InProgress { .. })));
    assert_eq!(once(&dedup, completed).await.unwrap(), Once::Completed);
    drop(claim);
    let again = once(&dedup, running).await.unwrap();
    assert!(matches!(again, Once::Ran { recorded: Recorded::Retrying, .. }), "{again:?}");
}

#[tokio::test(start_paused = true)]
async fn unclaimed_work_that_fails_or_is_dropped_is_run_by_the_next_attempt() {
    let store = Faulty::new();
    let (dedup, id) = (Dedup::new(store.clone()).fail_open(), id());
    store.set_all(Fault::Down);
    let failed = dedup.once(id, async || Err::<(), _>("the disk is full")).await;
    assert!(matches!(failed, Err(OnceError::Work(_))), "{failed:?}");
    let Begun::Claimed(claim) = dedup.begin(id).await.unwrap() else { panic!("it was released") };
    drop(claim);
    assert!(matches!(once(&dedup, id).await, Ok(Once::Ran { .. })));
}

/// The store knows better than this process: another may have forgotten the delivery, or lost it.
#[tokio::test(start_paused = true)]
async fn the_guard_is_not_asked_while_the_store_answers() {
    let store = Faulty::new();
    let (dedup, other) = (Dedup::new(store.clone()).fail_open(), Dedup::new(store.clone()));
    let id = id();
    assert!(matches!(once(&dedup, id).await, Ok(Once::Ran { .. })));
    assert!(other.forget(id).await.unwrap());
    assert!(matches!(once(&dedup, id).await, Ok(Once::Ran { .. })));
    // Its own `forget` reaches the guard.
    assert!(dedup.forget(id).await.unwrap());
    store.set(Operation::Claim, Fault::Down);
    assert!(matches!(once(&dedup, id).await, Ok(Once::Ran { .. })));
}

#[tokio::test(start_paused = true)]
async fn tenants_are_guarded_apart() {
    let store = Faulty::new();
    let (dedup, id) = (Dedup::new(store.clone()).fail_open(), id());
    store.set_all(Fault::Down);
    for tenant in [Some("a"), Some("b"), None] {
        let dedup = dedup.for_tenant(tenant);
        assert!(matches!(once(&dedup, id).await, Ok(Once::Ran { .. })), "{tenant:?}");
        assert_eq!(once(&dedup, id).await.unwrap(), Once::Completed, "{tenant:?}");
    }
}
