//! Events of unknown types: their names aren't signed, so one captured delivery can come under any number of names.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, routing::post};
use http::{HeaderValue, Request, StatusCode};
use pierre_webhook_core::{Delivery, TestDelivery};
use pierre_webhook_dedup::{Dedup, DedupLayer, MemoryStore, Once};
use pierre_webhook_tower::{EVENT_HEADER, Secret, Verifier, VerifyWebhookLayer, Webhook};
use tokio::time::advance;
use tower::ServiceExt as _;

use crate::layer::SECRET;

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn relabeled_captures_push_no_known_delivery_out_of_a_bounded_store() {
    let runs = Arc::new(AtomicUsize::new(0));
    let handler = {
        let runs = Arc::clone(&runs);
        async move |_: Webhook| {
            runs.fetch_add(1, Ordering::SeqCst);
        }
    };
    let secret = Secret::new(SECRET).unwrap();
    let verify = VerifyWebhookLayer::new(Verifier::new(secret.clone()));
    let once = DedupLayer::new(Dedup::new(MemoryStore::with_capacity(1_000)));
    let app = Router::new().route("/", post(handler).layer((verify, once)));
    let captured = TestDelivery::push().request("/", &secret);
    let send = async |event: &str| {
        let mut request: Request<Body> = captured.clone().map(Body::from);
        request.headers_mut().insert(EVENT_HEADER, HeaderValue::from_str(event).unwrap());
        let status = app.clone().oneshot(request).await.unwrap().status();
        assert_eq!(status, StatusCode::OK, "{event}");
        runs.load(Ordering::SeqCst)
    };
    assert_eq!(send("push").await, 1);
    for n in 0..1_000 {
        assert_eq!(send(&format!("relabeled.{n}")).await, n + 2);
    }
    assert_eq!(send("push").await, 1_001, "the push is still remembered");
    // They share an eighth of the places, and the last of them are remembered.
    assert_eq!(send("relabeled.875").await, 1_001);
    assert_eq!(send("relabeled.874").await, 1_002);
}

#[tokio::test(start_paused = true)]
async fn known_deliveries_push_no_unknown_one_out() {
    let dedup = Dedup::new(MemoryStore::with_capacity(8));
    let unknown = TestDelivery::new("branch.created", "{}").delivery();
    assert!(is_first(&dedup, &unknown).await);
    for n in 0..100 {
        let push = TestDelivery::push().branch(&n.to_string()).delivery();
        assert!(is_first(&dedup, &push).await);
    }
    assert!(!is_first(&dedup, &unknown).await);
    assert!(dedup.forget(unknown.id()).await.unwrap(), "without the delivery at hand");
    assert!(is_first(&dedup, &unknown).await);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_delivery_is_remembered_for_an_hour_and_a_known_one_for_three_days() {
    let dedup = Dedup::new(MemoryStore::new());
    let push = TestDelivery::push().delivery();
    let unknown = TestDelivery::new("branch.created", "{}").delivery();
    for delivery in [&push, &unknown] {
        assert!(is_first(&dedup, delivery).await);
    }
    advance(HOUR - Duration::from_millis(1)).await;
    for delivery in [&push, &unknown] {
        assert!(!is_first(&dedup, delivery).await);
    }
    advance(Duration::from_millis(1)).await;
    assert!(is_first(&dedup, &unknown).await);
    advance(70 * HOUR).await;
    assert!(!is_first(&dedup, &push).await);
}

#[tokio::test(start_paused = true)]
async fn unknown_deliveries_are_remembered_as_long_as_set_but_no_longer_than_known_ones() {
    let unknown = TestDelivery::new("branch.created", "{}").delivery();
    for (retention, unknown_retention, expected) in [(72, 24, 24), (2, 24, 2)] {
        let dedup = Dedup::new(MemoryStore::new())
            .retention(retention * HOUR)
            .unknown_retention(unknown_retention * HOUR);
        assert!(is_first(&dedup, &unknown).await);
        advance(expected * HOUR - Duration::from_millis(1)).await;
        assert!(!is_first(&dedup, &unknown).await);
        advance(Duration::from_millis(1)).await;
        assert!(is_first(&dedup, &unknown).await);
    }
}

async fn is_first(dedup: &Dedup, delivery: &Delivery) -> bool {
    let once = dedup.for_delivery(delivery).once(delivery.id(), async || Ok::<_, &str>(())).await;
    matches!(once, Ok(Once::Ran { .. }))
}
