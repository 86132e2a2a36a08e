//! `Dedup::wait`: a delivery that is being handled already waits for the end of that.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, routing::post};
use http::Request;
use pierre_webhook_core::TestDelivery;
use pierre_webhook_dedup::{
    Begun, Dedup, DedupLayer, DeliveryId, Key, MemoryStore, Once, RedisStore, Store,
};
use pierre_webhook_tests::redis_server::RedisServer;
use pierre_webhook_tower::{Secret, Verifier, VerifyWebhookLayer, Webhook};
use tokio::{
    sync::Semaphore,
    task::{JoinHandle, yield_now},
    time::{Instant, sleep},
};
use tower::ServiceExt as _;

use crate::{
    faulty::{Fault, Faulty, Operation},
    layer::SECRET,
    unique::{id, owner},
};

const SECOND: Duration = Duration::from_secs(1);

/// Work that ends after this time, in a task of its own that has begun.
async fn begin_work(
    dedup: &Dedup,
    id: DeliveryId,
    time: Duration,
    end: Result<(), &'static str>,
) -> JoinHandle<()> {
    let dedup = dedup.clone();
    let work = tokio::spawn(async move {
        let work = async || {
            sleep(time).await;
            end
        };
        let once = dedup.once(id, work).await;
        assert_eq!(once.is_ok(), end.is_ok());
    });
    for _ in 0..20 {
        yield_now().await;
    }
    work
}

/// Handles the delivery in no time. Returns the outcome, and how long that took.
async fn handle(dedup: &Dedup, id: DeliveryId) -> (&'static str, Duration) {
    let start = Instant::now();
    let outcome = match dedup.once(id, async || Ok::<_, &str>(())).await {
        Ok(Once::Ran { .. }) => "ran",
        Ok(Once::Completed) => "completed",
        Ok(Once::InProgress { .. }) => "in progress",
        Err(_) => "failed",
        _ => "other",
    };
    (outcome, start.elapsed())
}

#[tokio::test(start_paused = true)]
async fn by_default_a_delivery_in_progress_is_reported_at_once() {
    let (dedup, id) = (Dedup::new(MemoryStore::new()), id());
    let work = begin_work(&dedup, id, SECOND, Ok(())).await;
    assert_eq!(handle(&dedup, id).await, ("in progress", Duration::ZERO));
    work.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_waits_and_is_completed_as_soon_as_the_other_run_is() {
    let (dedup, id) = (Dedup::new(MemoryStore::new()).wait(10 * SECOND), id());
    let work = begin_work(&dedup, id, Duration::from_millis(1_234), Ok(())).await;
    assert_eq!(handle(&dedup, id).await, ("completed", Duration::from_millis(1_234)));
    work.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_is_handled_as_soon_as_the_other_run_fails() {
    let (dedup, id) = (Dedup::new(MemoryStore::new()).wait(10 * SECOND), id());
    let work = begin_work(&dedup, id, 3 * SECOND, Err("the work failed")).await;
    assert_eq!(handle(&dedup, id).await, ("ran", 3 * SECOND));
    work.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_is_handled_once_the_lease_of_the_other_run_expires() {
    let (store, id) = (MemoryStore::new(), id());
    let dedup = Dedup::new(store.clone()).wait(60 * SECOND);
    store.claim(Key::new("", id), owner(), 20 * SECOND).await.unwrap();
    assert_eq!(handle(&dedup, id).await, ("ran", 20 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_waits_no_longer_than_set() {
    for store in [Box::new(MemoryStore::new()) as Box<dyn Store>, Box::new(Faulty::new())] {
        let (dedup, id) = (Dedup::new(Arc::<dyn Store>::from(store)).wait(5 * SECOND), id());
        let work = begin_work(&dedup, id, 60 * SECOND, Ok(())).await;
        assert_eq!(handle(&dedup, id).await, ("in progress", 5 * SECOND));
        work.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn begin_does_not_wait() {
    let (dedup, id) = (Dedup::new(MemoryStore::new()).wait(10 * SECOND), id());
    let work = begin_work(&dedup, id, SECOND, Ok(())).await;
    let start = Instant::now();
    assert!(matches!(dedup.begin(id).await.unwrap(), Begun::InProgress { .. }));
    assert_eq!(start.elapsed(), Duration::ZERO);
    work.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_tell_is_asked_less_and_less_often() {
    let (store, id) = (Faulty::new(), id());
    let dedup = Dedup::new(store.clone()).wait(60 * SECOND);
    // One renewal, at a third of the lease, is no claim.
    let work = begin_work(&dedup, id, 10 * SECOND, Ok(())).await;
    let before = store.calls(Operation::Claim);
    let (outcome, waited) = handle(&dedup, id).await;
    assert_eq!(outcome, "completed");
    assert!(waited < 11 * SECOND, "{waited:?}");
    let claims = store.calls(Operation::Claim) - before;
    // 50 ms twice, then by half of what was waited each time: 10 until 2 s, and one a second from there.
    assert!((15..=22).contains(&claims), "{claims}");
    work.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_ends_the_wait() {
    let (store, id) = (Faulty::new(), id());
    let dedup = Dedup::new(store.clone()).wait(60 * SECOND);
    let work = begin_work(&dedup, id, 30 * SECOND, Ok(())).await;
    let waiting = tokio::spawn(async move { handle(&dedup, id).await });
    sleep(SECOND).await;
    store.set(Operation::Claim, Fault::Down);
    let (outcome, waited) = waiting.await.unwrap();
    assert_eq!(outcome, "failed");
    assert!(waited <= 2 * SECOND, "{waited:?}");
    work.abort();
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_ends_all_waits_at_once() {
    let (dedup, id) = (Dedup::new(MemoryStore::new()).wait(60 * SECOND), id());
    let work = begin_work(&dedup, id, 30 * SECOND, Ok(())).await;
    let waiting = {
        let dedup = dedup.clone();
        tokio::spawn(async move { handle(&dedup, id).await })
    };
    sleep(SECOND).await;
    let start = Instant::now();
    assert!(dedup.shutdown(60 * SECOND).await.is_empty());
    assert_eq!(start.elapsed(), 29 * SECOND, "it waits for the work");
    assert_eq!(waiting.await.unwrap(), ("failed", SECOND));
    work.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_thousand_deliveries_wait_and_one_that_gives_up_frees_its_place() {
    let (dedup, id) = (Dedup::new(MemoryStore::new()).wait(60 * SECOND), id());
    let work = begin_work(&dedup, id, 30 * SECOND, Ok(())).await;
    let mut waiting = Vec::new();
    for _ in 0..1_000 {
        let dedup = dedup.clone();
        waiting.push(tokio::spawn(async move { handle(&dedup, id).await }));
    }
    sleep(SECOND).await;
    assert_eq!(handle(&dedup, id).await, ("in progress", Duration::ZERO));
    let gone = waiting.pop().unwrap();
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    assert_eq!(handle(&dedup, id).await, ("completed", 29 * SECOND));
    for waited in waiting {
        assert_eq!(waited.await.unwrap(), ("completed", 30 * SECOND));
    }
    work.await.unwrap();
}

/// A route that handles each delivery once it gets a permit, and how often it did.
fn app(gate: &Arc<Semaphore>) -> (Router, Arc<AtomicUsize>) {
    let (gate, runs) = (Arc::clone(gate), Arc::new(AtomicUsize::new(0)));
    let handler = {
        let runs = Arc::clone(&runs);
        async move |_: Webhook| {
            runs.fetch_add(1, Ordering::SeqCst);
            gate.acquire().await.unwrap().forget();
            "handled"
        }
    };
    let verify = VerifyWebhookLayer::new(Verifier::new(Secret::new(SECRET).unwrap()));
    let once = DedupLayer::new(Dedup::new(MemoryStore::new()).wait(60 * SECOND));
    (Router::new().route("/", post(handler).layer((verify, once))), runs)
}

#[tokio::test]
async fn through_the_layer_a_duplicate_gets_the_answer_of_a_handled_one() {
    let gate = Arc::new(Semaphore::new(0));
    let (app, runs) = app(&gate);
    let request: Request<Body> =
        TestDelivery::push().request("/", &Secret::new(SECRET).unwrap()).map(Body::from);
    let send = || {
        let (app, (head, body)) = (app.clone(), request_parts(&request));
        tokio::spawn(async move {
            let response = app.oneshot(Request::from_parts(head, body)).await.unwrap();
            let status = response.status().as_u16();
            (status, axum::body::to_bytes(response.into_body(), 100).await.unwrap())
        })
    };
    let first = send();
    while runs.load(Ordering::SeqCst) == 0 {
        yield_now().await;
    }
    let (second, gone) = (send(), send());
    for _ in 0..100 {
        yield_now().await;
    }
    // A sender that disconnects.
    gone.abort();
    assert!(!second.is_finished());
    gate.add_permits(1);
    assert_eq!(first.await.unwrap(), (200, "handled".into()));
    assert_eq!(second.await.unwrap(), (200, "".into()));
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

fn request_parts(request: &Request<Body>) -> (http::request::Parts, Body) {
    let copy = Request::builder().method(request.method()).uri(request.uri());
    let mut copy = copy.body(()).unwrap();
    *copy.headers_mut() = request.headers().clone();
    (copy.into_parts().0, Body::from(TestDelivery::push().body()))
}

#[tokio::test]
async fn over_redis_a_duplicate_waits_too() {
    let Some(server) = RedisServer::start() else { return };
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let (dedup, id) = (Dedup::new(store).scope("waiting").wait(60 * SECOND), id());
    let work = {
        let dedup = dedup.clone();
        tokio::spawn(async move {
            let work = async || {
                sleep(Duration::from_millis(500)).await;
                Ok::<_, &str>(())
            };
            dedup.once(id, work).await.map(|_| ())
        })
    };
    while !matches!(dedup.begin(id).await.unwrap(), Begun::InProgress { .. }) {
        sleep(Duration::from_millis(1)).await;
    }
    let (outcome, waited) = handle(&dedup, id).await;
    assert_eq!(outcome, "completed");
    assert!(waited < 10 * SECOND, "{waited:?}");
    work.await.unwrap().unwrap();
}
