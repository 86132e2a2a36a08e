//! What the work learns about its lease: its fencing token, and that it is lost.

use std::{convert::Infallible, time::Duration};

use pierre_webhook_dedup::{
    Begun, Claim, Dedup, DeliveryId, LeaseHandle, Once, OnceError, Recorded,
};
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use crate::{
    faulty::{Fault, Faulty, Operation},
    unique::id,
};

const LEASE: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);

async fn claim(dedup: &Dedup, id: DeliveryId) -> Claim {
    match dedup.begin(id).await.unwrap() {
        Begun::Claimed(claim) => claim,
        other => panic!("{other:?}"),
    }
}

/// Work that succeeds after this time. Returns its handle too.
async fn spawn_work(
    dedup: &Dedup,
    id: DeliveryId,
    time: Duration,
) -> (LeaseHandle, JoinHandle<Result<Once<()>, OnceError<Infallible>>>) {
    let (sender, handle) = oneshot::channel();
    let dedup = dedup.clone();
    let work = tokio::spawn(async move {
        let work = async |lease| {
            sender.send(lease).unwrap();
            sleep(time).await;
            Ok(())
        };
        dedup.once_with(id, work).await
    });
    (handle.await.unwrap(), work)
}

/// Whether the lease is lost now, by both accounts.
async fn is_lost(lease: &LeaseHandle) -> bool {
    let has_resolved = timeout(Duration::ZERO, lease.lost()).await.is_ok();
    assert_eq!(lease.is_lost(), has_resolved);
    has_resolved
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_not_renewed_is_lost_when_it_expires() {
    let dedup = Dedup::new(Faulty::new()).lease(LEASE);
    let claim = claim(&dedup, id()).await;
    let (lease, start) = (claim.handle(), Instant::now());
    sleep(LEASE - SECOND).await;
    assert!(!is_lost(&lease).await);
    lease.lost().await;
    assert_eq!(start.elapsed(), LEASE);
    assert!(is_lost(&lease).await);
    // Another may have run in between.
    assert!(claim.renew().await.unwrap());
    assert!(is_lost(&lease).await, "a lost lease stays lost");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_renewed_is_not_lost() {
    let dedup = Dedup::new(Faulty::new()).lease(LEASE);
    let (lease, work) = spawn_work(&dedup, id(), 5 * LEASE).await;
    assert!(timeout(4 * LEASE, lease.lost()).await.is_err());
    assert!(matches!(work.await.unwrap(), Ok(Once::Ran { recorded: Recorded::Yes, .. })));

    let claim = claim(&dedup, id()).await;
    sleep(LEASE - SECOND).await;
    assert!(claim.renew().await.unwrap());
    sleep(LEASE - SECOND).await;
    assert!(!is_lost(&claim.handle()).await);
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_lost_once_a_renewal_finds_another_owner() {
    let (dedup, id) = (Dedup::new(Faulty::new()).lease(LEASE), id());
    let (lease, work) = spawn_work(&dedup, id, LEASE / 2).await;
    let start = Instant::now();
    assert!(dedup.forget(id).await.unwrap());
    let other = claim(&dedup, id).await;
    assert!(!is_lost(&lease).await, "nobody can know");
    lease.lost().await;
    assert!(start.elapsed() <= LEASE / 3 + SECOND);
    assert!(other.fencing_token() > lease.fencing_token());
    assert!(matches!(work.await.unwrap(), Ok(Once::Ran { recorded: Recorded::TakenOver, .. })));
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_lost_if_the_store_is_down_until_it_expires_and_not_if_it_is_back_before() {
    for (down_for, expected) in [(LEASE - 2 * SECOND, false), (LEASE + 2 * SECOND, true)] {
        let store = Faulty::new();
        let dedup = Dedup::new(store.clone()).lease(LEASE);
        let (lease, _work) = spawn_work(&dedup, id(), 10 * LEASE).await;
        store.set(Operation::Renew, Fault::Down);
        sleep(down_for).await;
        store.set(Operation::Renew, Fault::None);
        sleep(LEASE).await;
        assert_eq!(is_lost(&lease).await, expected, "{down_for:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_lost_at_the_end_of_renew_for() {
    let dedup = Dedup::new(Faulty::new()).lease(LEASE).renew_for(5 * LEASE);
    let (lease, _work) = spawn_work(&dedup, id(), 10 * LEASE).await;
    let start = Instant::now();
    lease.lost().await;
    assert!(start.elapsed() >= 5 * LEASE && start.elapsed() <= 6 * LEASE, "{:?}", start.elapsed());
}

/// Work that was started elsewhere, for example in a `spawn_blocking`, may outlive its handler.
#[tokio::test(start_paused = true)]
async fn a_lease_is_lost_when_its_claim_is_dropped_or_released() {
    let dedup = Dedup::new(Faulty::new()).lease(LEASE);
    let (lease, work) = spawn_work(&dedup, id(), LEASE).await;
    work.abort();
    timeout(SECOND, lease.lost()).await.unwrap();

    let claim = claim(&dedup, id()).await;
    let lease = claim.handle();
    claim.release().await.unwrap();
    assert!(is_lost(&lease).await);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_a_shutdown_releases_is_lost() {
    let dedup = Dedup::new(Faulty::new()).lease(LEASE);
    let (lease, _work) = spawn_work(&dedup, id(), LEASE).await;
    let unfinished = dedup.shutdown(SECOND).await;
    assert_eq!(unfinished.released, 1);
    assert!(is_lost(&lease).await);
}

#[tokio::test(start_paused = true)]
async fn a_completed_delivery_is_never_lost_even_if_its_record_comes_late() {
    let store = Faulty::new();
    let dedup = Dedup::new(store.clone()).lease(LEASE);
    store.set(Operation::Complete, Fault::Down);
    let (lease, work) = spawn_work(&dedup, id(), SECOND).await;
    assert!(matches!(work.await.unwrap(), Ok(Once::Ran { recorded: Recorded::Retrying, .. })));
    sleep(10 * LEASE).await;
    assert!(!is_lost(&lease).await);
    store.set(Operation::Complete, Fault::None);
    sleep(LEASE).await;
    assert!(!is_lost(&lease).await);
}

#[tokio::test(start_paused = true)]
async fn unclaimed_work_has_no_token_and_no_lease_to_lose() {
    let store = Faulty::new();
    let dedup = Dedup::new(store.clone()).lease(LEASE).fail_open();
    store.set_all(Fault::Down);
    let (lease, work) = spawn_work(&dedup, id(), 10 * LEASE).await;
    assert_eq!(lease.fencing_token(), None);
    assert!(timeout(9 * LEASE, lease.lost()).await.is_err());
    work.abort();
    timeout(SECOND, lease.lost()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_handle_does_not_keep_its_claim_or_a_shutdown_waiting() {
    let dedup = Dedup::new(Faulty::new());
    let claim = claim(&dedup, id()).await;
    let lease = claim.handle();
    assert_eq!(claim.complete().await, Recorded::Yes);
    assert!(dedup.shutdown(SECOND).await.is_empty());
    assert!(!is_lost(&lease).await);
}

#[tokio::test]
async fn each_claim_of_a_delivery_has_a_larger_token() {
    let (dedup, id) = (Dedup::new(Faulty::new()), id());
    let mut last = None;
    for _ in 0..10 {
        let claim = claim(&dedup, id).await;
        assert_eq!(claim.fencing_token(), claim.handle().fencing_token());
        assert!(claim.fencing_token() > last, "{:?} after {last:?}", claim.fencing_token());
        last = claim.fencing_token();
        claim.release().await.unwrap();
    }
}
