//! The capacity of the inner service is reserved only for verified deliveries, and is given back.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, HttpBody},
    error_handling::HandleErrorLayer,
    routing::post,
};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use pierre_webhook_tests::{
    client::{Connection, PATIENCE, exchange},
    sample::{BODY, delivery, tampered, verifier},
    scripted::Silent,
    server::Server,
};
use pierre_webhook_tower::{VerifiedBody, VerifyWebhookLayer, Webhook};
use tokio::{
    sync::{Notify, Semaphore},
    time::timeout,
};
use tower::{
    Layer, Service, ServiceBuilder, ServiceExt,
    buffer::BufferLayer,
    limit::{ConcurrencyLimitLayer, GlobalConcurrencyLimitLayer},
    load_shed::LoadShedLayer,
    service_fn,
};

fn good() -> Request<Full<Bytes>> {
    delivery().to_http(Full::from(BODY))
}

#[test]
fn forged_requests_without_a_body_take_no_permit_of_a_concurrency_limit() {
    let layers = ServiceBuilder::new()
        .layer(VerifyWebhookLayer::new(verifier()).request_body::<Body>())
        .layer(GlobalConcurrencyLimitLayer::new(2));
    let app = Router::new().route("/webhooks", post(async |_: Webhook| "").layer(layers));
    let server = Server::axum(app);
    let forged = tampered().head("Content-Length: 15\r\n");
    let held = [(); 8].map(|()| {
        let mut connection = Connection::open(server.address);
        connection.send(&forged);
        connection
    });
    assert_eq!(exchange(server.address, &delivery().with_content_length()).status, 200);
    drop(held);
}

/// A service that waits for a permit of a semaphore before it responds.
fn waits(
    semaphore: Arc<Semaphore>,
    begun: Arc<Notify>,
) -> impl Service<
    Request<VerifiedBody>,
    Response = Response<Full<Bytes>>,
    Error = Infallible,
    Future: Send,
> + Clone {
    service_fn(move |_: Request<VerifiedBody>| {
        let (semaphore, begun) = (Arc::clone(&semaphore), Arc::clone(&begun));
        async move {
            begun.notify_one();
            semaphore.acquire().await.unwrap().forget();
            Ok(Response::default())
        }
    })
}

#[tokio::test]
async fn verified_deliveries_wait_for_a_permit_and_a_dropped_one_gives_it_back() {
    let (semaphore, begun) = (Arc::new(Semaphore::new(0)), Arc::new(Notify::new()));
    let service = VerifyWebhookLayer::new(verifier()).layer(
        ConcurrencyLimitLayer::new(1).layer(waits(Arc::clone(&semaphore), Arc::clone(&begun))),
    );
    let first = tokio::spawn(service.clone().oneshot(good()));
    timeout(PATIENCE, begun.notified()).await.expect("the first is called");

    // The second is verified and waits. It wakes nobody and takes nothing.
    let mut second = Box::pin(service.clone().oneshot(good()));
    assert!(second.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let third = tokio::spawn(service.clone().oneshot(good()));
    drop(second);

    first.abort();
    timeout(PATIENCE, begun.notified()).await.expect("the third is called");
    semaphore.add_permits(1);
    assert_eq!(third.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn unverified_requests_take_no_slot_of_a_buffer() {
    let (semaphore, begun) = (Arc::new(Semaphore::new(8)), Arc::new(Notify::new()));
    let buffer = BufferLayer::new(1).layer(waits(semaphore, begun));
    let service = VerifyWebhookLayer::new(verifier()).layer(buffer);
    let mut held = Vec::new();
    for _ in 0..8 {
        let mut forged = Box::pin(service.clone().oneshot(tampered().to_http(Silent)));
        assert!(forged.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        held.push(forged);
    }
    for _ in 0..3 {
        assert_eq!(service.clone().oneshot(good()).await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn a_load_shed_inside_sheds_only_verified_deliveries() {
    let shed = HandleErrorLayer::new(async |_: tower::BoxError| StatusCode::SERVICE_UNAVAILABLE);
    let semaphore = Arc::new(Semaphore::new(0));
    let (held, begun) = (Arc::clone(&semaphore), Arc::new(Notify::new()));
    let tell = Arc::clone(&begun);
    let handler = async move |_: Webhook| {
        tell.notify_one();
        held.acquire().await.unwrap().forget();
    };
    let layers = ServiceBuilder::new()
        .layer(VerifyWebhookLayer::new(verifier()).request_body::<Body>())
        .layer(shed)
        .layer(LoadShedLayer::new())
        .layer(GlobalConcurrencyLimitLayer::new(1));
    let app = Router::new().route("/webhooks", post(handler).layer(layers));
    let status = async |request: Request<Full<Bytes>>| {
        app.clone().oneshot(request.map(Body::new)).await.unwrap().status()
    };
    let first = tokio::spawn(app.clone().oneshot(good().map(Body::new)));
    timeout(PATIENCE, begun.notified()).await.expect("the first is called");
    assert_eq!(status(good()).await, 503);
    assert_eq!(status(tampered().to_http(Full::from("{}"))).await, 401);
    semaphore.add_permits(2);
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    assert_eq!(status(good()).await, 200);
}

const NEVER: usize = usize::MAX;

/// Becomes ready, or fails, at the poll with this number. Counts its polls and calls.
#[derive(Clone)]
struct ReadyAt {
    polls: Arc<AtomicUsize>,
    calls: Arc<AtomicUsize>,
    at: usize,
    outcome: Result<(), &'static str>,
}

impl ReadyAt {
    fn new(at: usize, outcome: Result<(), &'static str>) -> Self {
        Self { polls: Arc::default(), calls: Arc::default(), at, outcome }
    }
}

impl Service<Request<VerifiedBody>> for ReadyAt {
    type Response = Response<Full<Bytes>>;
    type Error = &'static str;
    type Future = Ready<Result<Self::Response, &'static str>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        if self.polls.fetch_add(1, Ordering::SeqCst) + 1 < self.at {
            if self.at < NEVER {
                cx.waker().wake_by_ref();
            }
            return Poll::Pending;
        }
        Poll::Ready(self.outcome)
    }

    fn call(&mut self, request: Request<VerifiedBody>) -> Self::Future {
        self.calls.fetch_add(1, Ordering::SeqCst);
        assert_eq!(request.extensions().get::<Webhook>().unwrap().event_type(), "ping");
        assert_eq!(request.body().size_hint().exact(), Some(BODY.len() as u64));
        ready(Ok(Response::default()))
    }
}

#[tokio::test]
async fn a_service_is_polled_until_it_is_ready_and_called_once_with_the_whole_request() {
    let inner = ReadyAt::new(5, Ok(()));
    let service = VerifyWebhookLayer::new(verifier()).layer(inner.clone());
    assert_eq!(service.oneshot(good()).await.unwrap().status(), 200);
    assert_eq!(inner.polls.load(Ordering::SeqCst), 5);
    assert_eq!(inner.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_service_that_fails_to_become_ready_fails_only_verified_deliveries() {
    let inner = ReadyAt::new(2, Err("no more"));
    let service = VerifyWebhookLayer::new(verifier()).layer(inner.clone());
    let forged = tampered().to_http(Full::<Bytes>::from("{}"));
    assert_eq!(service.clone().oneshot(forged).await.unwrap().status(), 401);
    assert_eq!(inner.polls.load(Ordering::SeqCst), 0);
    assert_eq!(service.oneshot(good()).await.unwrap_err(), "no more");
    assert_eq!(inner.calls.load(Ordering::SeqCst), 0);
}

/// A service may never become ready, so a timeout outside must bound the wait.
#[tokio::test(start_paused = true)]
async fn a_timeout_outside_bounds_the_wait_for_the_inner_service() {
    let inner = ReadyAt::new(NEVER, Ok(()));
    let service = VerifyWebhookLayer::new(verifier()).layer(inner);
    let waiting = timeout(Duration::from_millis(50), service.oneshot(good()));
    waiting.await.unwrap_err();
}
