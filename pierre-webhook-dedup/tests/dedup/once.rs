//! `Dedup::once` and `Dedup::begin` over a store that works.

use std::{convert::Infallible, rc::Rc, sync::Arc, time::Duration};

use pierre_webhook_dedup::{Begun, Dedup, MemoryStore, Once, OnceError, Recorded, Store};
use tokio::{sync::Barrier, task::JoinSet, time::advance};

use crate::{
    faulty::{Fault, Faulty, Operation},
    unique::id,
};

type Never = Result<(), Infallible>;

const RAN: Result<Once<()>, &str> = Ok(Once::Ran { value: (), recorded: Recorded::Yes });

/// The outcome of work that does nothing.
async fn once(dedup: &Dedup, id: pierre_webhook_dedup::DeliveryId) -> Result<Once<()>, String> {
    dedup.once(id, async || Never::Ok(())).await.map_err(|error| error.to_string())
}

fn ran() -> Result<Once<()>, String> {
    RAN.map_err(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_one_of_many_concurrent_calls_of_once_runs_the_work() {
    let (dedup, id, barrier) = (Dedup::new(MemoryStore::new()), id(), Arc::new(Barrier::new(100)));
    let mut racers = JoinSet::new();
    for _ in 0..100 {
        let (dedup, barrier) = (dedup.clone(), Arc::clone(&barrier));
        racers.spawn(async move {
            barrier.wait().await;
            once(&dedup, id).await.unwrap()
        });
    }
    let runs = racers.join_all().await;
    let count = runs.iter().filter(|once| matches!(once, Once::Ran { .. })).count();
    assert_eq!(count, 1, "{runs:?}");
    assert_eq!(once(&dedup, id).await, Ok(Once::Completed));
}

#[tokio::test(start_paused = true)]
async fn a_delivery_is_in_progress_while_its_work_runs_and_completed_once_it_succeeds() {
    let (dedup, id) = (Dedup::new(MemoryStore::new()), id());
    let work = async || {
        let retry_after = Duration::from_secs(20);
        assert_eq!(once(&dedup, id).await, Ok(Once::InProgress { retry_after }));
        Never::Ok(())
    };
    let first = dedup.once(id, work).await;
    assert!(matches!(first, Ok(Once::Ran { recorded: Recorded::Yes, .. })), "{first:?}");
    assert_eq!(once(&dedup, id).await, Ok(Once::Completed));
}

#[tokio::test(start_paused = true)]
async fn a_completed_delivery_runs_again_after_the_retention() {
    let retention = Duration::from_secs(3600);
    let (dedup, id) = (Dedup::new(MemoryStore::new()).retention(retention), id());
    assert_eq!(once(&dedup, id).await, ran());
    advance(retention - Duration::from_millis(1)).await;
    assert_eq!(once(&dedup, id).await, Ok(Once::Completed));
    advance(Duration::from_millis(1)).await;
    assert_eq!(once(&dedup, id).await, ran());
}

#[tokio::test]
async fn work_that_fails_runs_again_at_the_next_attempt() {
    let (dedup, id) = (Dedup::new(MemoryStore::new()), id());
    let failed = dedup.once(id, async || Err::<(), _>("the disk is full")).await;
    assert!(matches!(failed, Err(OnceError::Work("the disk is full"))), "{failed:?}");
    assert_eq!(once(&dedup, id).await, ran());
}

#[tokio::test]
async fn a_panic_in_the_work_releases_the_delivery_and_is_passed_on() {
    let (dedup, id) = (Dedup::new(MemoryStore::new()), id());
    for panics_late in [false, true] {
        let dedup = dedup.clone();
        let work = async move || {
            if panics_late {
                tokio::task::yield_now().await;
            }
            panic!("a bug in the work")
        };
        let panicked = tokio::spawn(async move {
            let _: Result<Once<()>, OnceError<Infallible>> = dedup.once(id, work).await;
        });
        let panic = panicked.await.unwrap_err().into_panic();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"a bug in the work"));
    }
    assert_eq!(once(&dedup, id).await, ran());
}

#[tokio::test]
async fn dropping_once_during_the_work_releases_the_delivery() {
    let (dedup, id) = (Dedup::new(MemoryStore::new()), id());
    {
        let work = dedup.once(id, async || {
            std::future::pending::<()>().await;
            Never::Ok(())
        });
        tokio::pin!(work);
        tokio::select! {
            biased;
            _ = &mut work => unreachable!("it never ends"),
            () = async { tokio::task::yield_now().await } => {}
        }
        assert!(matches!(once(&dedup, id).await, Ok(Once::InProgress { .. })));
    }
    assert_eq!(once(&dedup, id).await, ran());
}

#[tokio::test]
async fn work_need_not_be_send() {
    let (dedup, id, local) = (Dedup::new(MemoryStore::new()), id(), Rc::new(5));
    let once = dedup.once(id, || async move { Ok::<_, Infallible>(*local) }).await;
    assert!(matches!(once, Ok(Once::Ran { value: 5, .. })), "{once:?}");
}

#[tokio::test]
async fn scopes_and_stores_are_separate_and_clones_of_a_dedup_are_not() {
    let (store, id) = (Arc::new(MemoryStore::new()), id());
    let mailer = Dedup::new(Arc::clone(&store)).scope("mailer");
    let deployer = Dedup::new(Arc::clone(&store) as Arc<dyn Store>).scope("deployer");
    for dedup in [&mailer, &deployer, &Dedup::new(store), &Dedup::new(MemoryStore::new())] {
        assert_eq!(once(dedup, id).await, ran());
    }
    assert_eq!(once(&mailer.clone(), id).await, Ok(Once::Completed));
}

#[tokio::test]
async fn a_forgotten_delivery_runs_again() {
    let (dedup, id) = (Dedup::new(MemoryStore::new()), id());
    assert!(!dedup.forget(id).await.unwrap());
    assert_eq!(once(&dedup, id).await, ran());
    assert!(dedup.forget(id).await.unwrap());
    assert_eq!(once(&dedup, id).await, ran());
}

#[tokio::test(start_paused = true)]
async fn a_lease_or_retention_of_zero_or_of_the_longest_duration_still_ends() {
    for lease in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
        let dedup = Dedup::new(MemoryStore::new()).lease(lease).retention(lease);
        let id = id();
        assert_eq!(once(&dedup, id).await, ran(), "{lease:?}");
        assert_eq!(once(&dedup, id).await, Ok(Once::Completed), "{lease:?}");
        advance(Duration::from_secs(11 * 365 * 24 * 3600)).await;
        assert_eq!(once(&dedup, id).await, ran(), "{lease:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_claim_from_begin_is_renewed_only_by_its_caller() {
    let lease = Duration::from_secs(60);
    let (dedup, id) = (Dedup::new(MemoryStore::new()).lease(lease), id());
    let Begun::Claimed(claim) = dedup.begin(id).await.unwrap() else { panic!("it is free") };
    assert_eq!(claim.id(), id);
    advance(lease / 2).await;
    assert!(claim.renew().await.unwrap());
    advance(lease - Duration::from_millis(1)).await;
    let begun = dedup.begin(id).await.unwrap();
    assert!(matches!(begun, Begun::InProgress { .. }), "{begun:?}");
    advance(Duration::from_millis(1)).await;
    let Begun::Claimed(other) = dedup.begin(id).await.unwrap() else { panic!("it has expired") };
    assert!(!claim.renew().await.unwrap());
    assert_eq!(claim.complete().await, Recorded::TakenOver);
    assert_eq!(other.complete().await, Recorded::Yes);
    assert!(matches!(dedup.begin(id).await.unwrap(), Begun::Completed));
}

#[tokio::test]
async fn a_delivery_can_be_claimed_again_after_its_claim_is_released_or_dropped() {
    let (dedup, id) = (Dedup::new(MemoryStore::new()), id());
    let begin = async || match dedup.begin(id).await.unwrap() {
        Begun::Claimed(claim) => claim,
        other => panic!("{other:?}"),
    };
    begin().await.release().await.unwrap();
    drop(begin().await);
    // A claim can be moved to another thread, and dropped outside of any runtime.
    let claim = begin().await;
    std::thread::spawn(move || drop(claim)).join().unwrap();
    assert_eq!(begin().await.complete().await, Recorded::Yes);
}

#[test]
fn without_a_runtime_once_and_begin_return_an_error_and_do_not_panic() {
    let poll = |future: std::pin::Pin<&mut dyn Future<Output = bool>>| {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        matches!(future.poll(&mut context), std::task::Poll::Ready(true))
    };
    let (dedup, id) = (Dedup::new(MemoryStore::new()), id());
    let mut once = std::pin::pin!(async {
        matches!(dedup.once(id, async || Never::Ok(())).await, Err(OnceError::Store(_)))
    });
    assert!(poll(once.as_mut()));
    let mut begin = std::pin::pin!(async { dedup.begin(id).await.is_err() });
    assert!(poll(begin.as_mut()));

    // A claim can be completed outside of the runtime it was made on, even after that has ended.
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let claim = match runtime.block_on(dedup.begin(id)).unwrap() {
        Begun::Claimed(claim) => claim,
        other => panic!("{other:?}"),
    };
    drop(runtime);
    let mut complete = std::pin::pin!(async { claim.complete().await == Recorded::Yes });
    assert!(poll(complete.as_mut()));
}

#[tokio::test(start_paused = true)]
async fn handling_a_delivery_takes_two_store_operations() {
    let store = Faulty::new();
    let dedup = Dedup::new(store.clone());
    assert_eq!(once(&dedup, id()).await, ran());
    let calls = [Operation::Claim, Operation::Complete, Operation::Renew, Operation::Release]
        .map(|operation| store.calls(operation));
    assert_eq!(calls, [1, 1, 0, 0]);
    store.set_all(Fault::None);
}
