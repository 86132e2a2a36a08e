//! Leases of work that takes long.

use std::{
    convert::Infallible,
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use pierre_webhook_dedup::{Begun, Dedup, DeliveryId, MemoryStore, Once, OnceError, Recorded};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    faulty::{Fault, Faulty, Operation},
    unique::id,
};

const LEASE: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);

async fn is_in_progress(dedup: &Dedup, id: DeliveryId) -> bool {
    match dedup.begin(id).await.unwrap() {
        Begun::InProgress { .. } => true,
        Begun::Completed => false,
        // Dropping the claim releases the delivery.
        Begun::Claimed(_) => false,
        other => panic!("{other:?}"),
    }
}

/// Work that succeeds after this time.
async fn after(time: Duration) -> Result<(), Infallible> {
    sleep(time).await;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_renewed_while_the_work_runs() {
    let (dedup, id) = (Dedup::new(MemoryStore::new()).lease(LEASE), id());
    let work = tokio::spawn({
        let dedup = dedup.clone();
        async move { dedup.once(id, || after(10 * LEASE)).await }
    });
    tokio::task::yield_now().await;
    let start = Instant::now();
    while start.elapsed() < 10 * LEASE - SECOND {
        assert!(is_in_progress(&dedup, id).await, "after {:?}", start.elapsed());
        sleep(SECOND).await;
    }
    let once = work.await.unwrap();
    assert!(matches!(once, Ok(Once::Ran { recorded: Recorded::Yes, .. })), "{once:?}");
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_hangs_does_not_hold_its_lease_forever() {
    let dedup = Dedup::new(MemoryStore::new()).lease(LEASE).renew_for(5 * LEASE);
    let id = id();
    let hung = tokio::spawn({
        let dedup = dedup.clone();
        async move { dedup.once(id, || after(10 * LEASE)).await }
    });
    tokio::task::yield_now().await;
    // The last renewal is at the end of `renew_for`, and lasts a lease from then on.
    sleep(6 * LEASE - SECOND).await;
    assert!(is_in_progress(&dedup, id).await);
    sleep(2 * SECOND).await;
    let second = dedup.once(id, || after(Duration::ZERO)).await;
    assert!(matches!(second, Ok(Once::Ran { recorded: Recorded::Yes, .. })), "{second:?}");
    let first = hung.await.unwrap();
    assert!(matches!(first, Ok(Once::Ran { recorded: Recorded::TakenOver, .. })), "{first:?}");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_is_retried_before_the_lease_expires() {
    let store = Faulty::new();
    let (dedup, id) = (Dedup::new(store.clone()).lease(LEASE), id());
    let work = tokio::spawn({
        let dedup = dedup.clone();
        async move { dedup.once(id, || after(3 * LEASE)).await }
    });
    tokio::task::yield_now().await;
    store.set(Operation::Renew, Fault::Down);
    sleep(LEASE / 2).await;
    // At a third of the lease, and each second from then on.
    assert_eq!(store.calls(Operation::Renew), 10);
    store.set(Operation::Renew, Fault::None);
    sleep(LEASE).await;
    assert!(is_in_progress(&dedup, id).await);
    assert!(matches!(work.await.unwrap(), Ok(Once::Ran { recorded: Recorded::Yes, .. })));
}

/// The first renewal meets a short outage, and so would the next at a third of the lease.
#[tokio::test(start_paused = true)]
async fn two_short_outages_lose_no_lease() {
    let store = Faulty::new();
    let (dedup, id) = (Dedup::new(store.clone()).lease(LEASE), id());
    let work = tokio::spawn({
        let dedup = dedup.clone();
        async move { dedup.once(id, || after(3 * LEASE)).await }
    });
    tokio::task::yield_now().await;
    for _ in 0..2 {
        sleep(LEASE / 3 - SECOND / 2).await;
        store.set(Operation::Renew, Fault::Down);
        sleep(SECOND).await;
        store.set(Operation::Renew, Fault::None);
        sleep(SECOND).await;
    }
    sleep(LEASE / 3).await;
    assert!(is_in_progress(&dedup, id).await);
    assert!(matches!(work.await.unwrap(), Ok(Once::Ran { recorded: Recorded::Yes, .. })));
}

/// A renewal in flight when the work ends would claim the delivery again after its release.
#[tokio::test(start_paused = true)]
async fn a_renewal_in_flight_does_not_undo_a_release_or_a_completion() {
    const IN_FLIGHT: Duration = Duration::from_secs(5);
    // Ends just after the first renewal begins.
    const WORK: Duration = Duration::from_millis(20_001);
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum End {
        Fails,
        Panics,
        IsDropped,
        Succeeds,
    }
    for end in [End::Fails, End::Panics, End::IsDropped, End::Succeeds] {
        let store = Faulty::new();
        store.set(Operation::Renew, Fault::InFlight(IN_FLIGHT));
        let (dedup, id) = (Dedup::new(store.clone()).lease(LEASE), id());
        let work = tokio::spawn({
            let dedup = dedup.clone();
            async move {
                let work = async || {
                    sleep(WORK).await;
                    match end {
                        End::Fails => Err("it failed"),
                        End::Panics => panic!("a bug in the work"),
                        End::IsDropped => pending().await,
                        End::Succeeds => Ok(()),
                    }
                };
                dedup.once(id, work).await
            }
        });
        sleep(WORK + Duration::from_millis(1)).await;
        assert_eq!(store.calls(Operation::Renew), 1, "{end:?}");
        work.abort();
        let ended = work.await;
        if end == End::Fails {
            assert!(ended.is_err() || matches!(ended, Ok(Err(OnceError::Work(_)))), "{ended:?}");
        }
        sleep(IN_FLIGHT + Duration::from_millis(1)).await;
        let next = dedup.begin(id).await.unwrap();
        match end {
            End::Succeeds => assert!(matches!(next, Begun::Completed), "{end:?}: {next:?}"),
            _ => assert!(matches!(next, Begun::Claimed(_)), "{end:?}: {next:?}"),
        }
        assert_eq!(store.calls(Operation::Renew), 1, "{end:?}: renewals have ended");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_of_renew_does_not_undo_a_later_release() {
    let store = Faulty::new();
    store.set(Operation::Renew, Fault::InFlight(SECOND));
    let (dedup, id) = (Dedup::new(store).lease(LEASE), id());
    let Begun::Claimed(claim) = dedup.begin(id).await.unwrap() else { panic!("it is free") };
    tokio::select! {
        _ = claim.renew() => panic!("it takes a second"),
        () = sleep(SECOND / 2) => {}
    }
    claim.release().await.unwrap();
    sleep(SECOND).await;
    assert!(matches!(dedup.begin(id).await.unwrap(), Begun::Claimed(_)));
}

#[test]
fn a_call_of_renew_does_not_wait_for_a_runtime_that_nobody_drives() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let (idle, other) = (runtime(), runtime());
    let dedup = Dedup::new(MemoryStore::new());
    let begun = idle.block_on(dedup.begin(id())).unwrap();
    let Begun::Claimed(claim) = begun else { panic!("it is free") };
    let renewed = other.block_on(async { timeout(SECOND, claim.renew()).await });
    assert!(renewed.expect("it hangs").unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_delivery_in_progress_is_claimed_again_by_its_renewal() {
    let (dedup, id) = (Dedup::new(MemoryStore::new()).lease(LEASE), id());
    let work = tokio::spawn({
        let dedup = dedup.clone();
        async move { dedup.once(id, || after(2 * LEASE)).await }
    });
    tokio::task::yield_now().await;
    assert!(dedup.forget(id).await.unwrap());
    sleep(LEASE / 2).await;
    assert!(is_in_progress(&dedup, id).await);
    assert!(matches!(work.await.unwrap(), Ok(Once::Ran { recorded: Recorded::Yes, .. })));
}

/// Neither the renewing task, which would run for a quarter of an hour, nor anything else keeps the store alive.
#[tokio::test(start_paused = true)]
async fn nothing_of_a_claim_outlives_its_end() {
    let store = Arc::new(MemoryStore::new());
    let dedup = Dedup::new(Arc::clone(&store)).lease(LEASE);
    let held = Arc::strong_count(&store);
    assert!(dedup.once(id(), || after(SECOND)).await.is_ok());
    let failed = dedup.once(id(), async || Err::<(), _>("it failed")).await;
    assert!(matches!(failed, Err(OnceError::Work("it failed"))), "{failed:?}");
    timeout(SECOND, dedup.once(id(), || after(LEASE))).await.unwrap_err();
    let panicked = tokio::spawn({
        let dedup = dedup.clone();
        async move { dedup.once(id(), async || -> Result<(), Infallible> { panic!("a bug") }).await }
    });
    assert!(panicked.await.unwrap_err().is_panic());
    tokio::task::yield_now().await;
    drop(dedup);
    assert_eq!((held, Arc::strong_count(&store)), (2, 1));
}

/// The one test here that really blocks: a blocked thread can't be simulated.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lease_of_work_that_blocks_its_thread_is_renewed_by_another_thread() {
    let lease = Duration::from_secs(1);
    let (dedup, id) = (Dedup::new(MemoryStore::new()).lease(lease), id());
    let has_ended = Arc::new(AtomicBool::new(false));
    let work = tokio::spawn({
        let (dedup, has_ended) = (dedup.clone(), Arc::clone(&has_ended));
        async move {
            let work = async || {
                std::thread::sleep(2 * lease);
                has_ended.store(true, Ordering::SeqCst);
                Ok::<_, Infallible>(())
            };
            dedup.once(id, work).await
        }
    });
    // A thread outside of the runtime sees what another process would.
    let watch = std::thread::spawn({
        let dedup = dedup.clone();
        move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                std::thread::sleep(lease / 3);
                let mut looks = 0;
                while !has_ended.load(Ordering::SeqCst) {
                    let begun = dedup.begin(id).await.unwrap();
                    let ended = has_ended.load(Ordering::SeqCst);
                    assert!(ended || matches!(begun, Begun::InProgress { .. }), "{begun:?}");
                    looks += 1;
                    std::thread::sleep(Duration::from_millis(5));
                }
                looks
            })
        }
    });
    assert!(matches!(work.await.unwrap(), Ok(Once::Ran { recorded: Recorded::Yes, .. })));
    assert!(watch.join().unwrap() > 10);
}
