//! A process that ends: nothing new is claimed, work that runs is waited for, and what is left is released.

use std::{convert::Infallible, future::pending, time::Duration};

use pierre_webhook_dedup::{Begun, Dedup, DeliveryId, Once, OnceError, Recorded, Unfinished};
use tokio::time::{Instant, sleep};

use crate::{
    faulty::{Fault, Faulty, Operation},
    unique::id,
};

const SECOND: Duration = Duration::from_secs(1);

/// Work that succeeds after this time, in a task of its own.
fn spawn_work(
    dedup: &Dedup,
    id: DeliveryId,
    time: Duration,
) -> tokio::task::JoinHandle<Result<Once<()>, OnceError<Infallible>>> {
    let dedup = dedup.clone();
    tokio::spawn(async move {
        let work = async || {
            sleep(time).await;
            Ok(())
        };
        dedup.once(id, work).await
    })
}

async fn complete(dedup: &Dedup, id: DeliveryId) {
    let once = dedup.once(id, async || Ok::<_, Infallible>(())).await;
    assert!(matches!(once, Ok(Once::Ran { recorded: Recorded::Yes, .. })), "{once:?}");
}

fn counts(unfinished: Unfinished) -> (usize, usize, usize) {
    (unfinished.released, unfinished.unreleased, unfinished.unrecorded)
}

#[tokio::test(start_paused = true)]
async fn after_a_shutdown_nothing_is_claimed_by_any_clone() {
    let store = Faulty::new();
    let dedup = Dedup::new(store.clone());
    let other = dedup.for_tenant(Some("acme"));
    assert!(dedup.shutdown(SECOND).await.is_empty());
    let error = other.fail_open().begin(id()).await.unwrap_err();
    assert_eq!(error.to_string(), "the service is shutting down");
    assert_eq!(store.calls(Operation::Claim), 0);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_the_work_that_runs_and_no_longer() {
    let dedup = Dedup::new(Faulty::new());
    let work = spawn_work(&dedup, id(), 3 * SECOND);
    tokio::task::yield_now().await;
    let start = Instant::now();
    assert!(dedup.shutdown(60 * SECOND).await.is_empty());
    assert_eq!(start.elapsed().as_secs(), 3);
    let once = work.await.unwrap();
    assert!(matches!(once, Ok(Once::Ran { recorded: Recorded::Yes, .. })), "{once:?}");
}

#[tokio::test(start_paused = true)]
async fn claims_that_are_left_are_released_so_that_another_process_can_run_at_once() {
    let store = Faulty::new();
    let (ending, other) = (Dedup::new(store.clone()), Dedup::new(store));
    let (running, by_hand, completed) = (id(), id(), id());
    let _work = spawn_work(&ending, running, 3600 * SECOND);
    let Begun::Claimed(_claim) = ending.begin(by_hand).await.unwrap() else { panic!("claimed") };
    complete(&ending, completed).await;
    let unfinished = ending.shutdown(SECOND).await;
    assert_eq!(counts(unfinished), (2, 0, 0), "{unfinished}");
    for id in [running, by_hand] {
        assert!(matches!(other.begin(id).await, Ok(Begun::Claimed(_))));
    }
    assert!(matches!(other.begin(completed).await, Ok(Begun::Completed)));
}

#[tokio::test(start_paused = true)]
async fn a_released_claim_is_not_renewed_again() {
    let store = Faulty::new();
    let dedup = Dedup::new(store.clone());
    let _work = spawn_work(&dedup, id(), 3600 * SECOND);
    tokio::task::yield_now().await;
    let unfinished = dedup.shutdown(SECOND).await;
    assert_eq!(counts(unfinished), (1, 0, 0));
    sleep(600 * SECOND).await;
    assert_eq!(store.calls(Operation::Renew), 0);
}

#[tokio::test(start_paused = true)]
async fn a_completion_in_the_background_is_waited_for_and_counted_if_it_takes_too_long() {
    for (down_for, expected) in [(2 * SECOND, (0, 0, 0)), (3600 * SECOND, (0, 0, 1))] {
        let store = Faulty::new();
        let dedup = Dedup::new(store.clone());
        store.set(Operation::Complete, Fault::Down);
        let once = dedup.once(id(), async || Ok::<_, Infallible>(())).await;
        assert!(matches!(once, Ok(Once::Ran { recorded: Recorded::Retrying, .. })), "{once:?}");
        tokio::spawn(async move {
            sleep(down_for).await;
            store.set(Operation::Complete, Fault::None);
        });
        assert_eq!(counts(dedup.shutdown(10 * SECOND).await), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_down_or_hangs_delays_a_shutdown_by_two_seconds_at_most() {
    for fault in [Fault::Down, Fault::Slow(3600 * SECOND)] {
        let store = Faulty::new();
        let dedup = Dedup::new(store.clone());
        for _ in 0..100 {
            drop(spawn_work(&dedup, id(), 3600 * SECOND));
        }
        while store.calls(Operation::Claim) < 100 {
            tokio::task::yield_now().await;
        }
        tokio::task::yield_now().await;
        store.set_all(fault);
        let start = Instant::now();
        let unfinished = dedup.shutdown(SECOND).await;
        assert_eq!(counts(unfinished), (0, 100, 0), "{fault:?}");
        assert!(start.elapsed() <= 3 * SECOND, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn claims_that_ended_are_not_counted() {
    let dedup = Dedup::new(Faulty::new());
    let (held, keeps) = (id(), dedup.clone());
    let holder = tokio::spawn(async move {
        let hangs = || pending::<Result<(), Infallible>>();
        drop(keeps.once(held, hangs).await);
    });
    for _ in 0..10_000 {
        complete(&dedup, id()).await;
    }
    assert_eq!(counts(dedup.shutdown(SECOND).await), (1, 0, 0));
    holder.abort();
}
