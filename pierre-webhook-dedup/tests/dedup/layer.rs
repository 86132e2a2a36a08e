//! `DedupLayer`.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{Extension, Router, body::Body, routing::post};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use pierre_webhook_dedup::{Dedup, DedupLayer, DedupService, DeliveryId, LeaseHandle, MemoryStore};
use pierre_webhook_tower::{
    EVENT_HEADER, SIGNATURE_HEADER, Secret, Verifier, VerifyWebhookLayer, Webhook,
};
use tokio::{
    sync::{Semaphore, mpsc},
    time::sleep,
};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
use tower_http::timeout::TimeoutLayer;
use tracing::Instrument;

use crate::faulty::{Fault, Faulty, Operation};

pub(crate) const SECRET: &str = "a secret of the tests";

fn verify() -> VerifyWebhookLayer {
    VerifyWebhookLayer::new(Verifier::new(Secret::new(SECRET).unwrap()))
}

fn delivery(body: &'static str) -> Request<Body> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let signature = Secret::new(SECRET).unwrap().sign(now, body.as_bytes());
    Request::post("/webhooks")
        .header(SIGNATURE_HEADER, signature)
        .header(EVENT_HEADER, "ping")
        .body(body.into())
        .unwrap()
}

/// Status, `Retry-After` and body.
async fn send(app: &Router, request: Request<Body>) -> (u16, Option<String>, String) {
    let response = app.clone().oneshot(request).await.unwrap();
    let retry_after = response.headers().get("retry-after");
    let retry_after = retry_after.map(|value| value.to_str().unwrap().to_owned());
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, retry_after, String::from_utf8(body.into()).unwrap())
}

/// A route whose handler answers each run with the next of these statuses, then with 200.
fn app(layer: DedupLayer, statuses: &'static [u16]) -> (Router, Arc<AtomicUsize>) {
    let runs = Arc::new(AtomicUsize::new(0));
    let handler = {
        let runs = Arc::clone(&runs);
        async move |webhook: Webhook| {
            let run = runs.fetch_add(1, Ordering::SeqCst);
            let status = statuses.get(run).copied().unwrap_or(200);
            (StatusCode::from_u16(status).unwrap(), format!("{} run {run}", webhook.event_type()))
        }
    };
    let app = Router::new().route("/webhooks", post(handler).layer((verify(), layer)));
    (app, runs)
}

pub(crate) fn problem(status: u16, title: &str, code: &str, detail: &str) -> String {
    format!(
        r#"{{"type":"about:blank","title":"{title}","status":{status},"detail":"{detail}","code":"{code}"}}"#
    )
}

#[tokio::test]
async fn a_2xx_completes_and_a_repeat_is_an_empty_200() {
    let (app, runs) = app(DedupLayer::new(Dedup::new(MemoryStore::new())), &[204]);
    assert_eq!(send(&app, delivery("1")).await.0, 204);
    assert_eq!(send(&app, delivery("1")).await, (200, None, String::new()));
    assert_eq!(send(&app, delivery("2")).await, (200, None, "ping run 1".to_owned()));
    assert_eq!(runs.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn the_same_body_from_two_tenants_is_two_deliveries() {
    let once = DedupLayer::new(Dedup::new(MemoryStore::new()).scope("deploy"));
    let runs = Arc::new(AtomicUsize::new(0));
    let app = |tenant: Option<&str>| {
        let verifier = Verifier::new(Secret::new(SECRET).unwrap());
        let verifier = match tenant {
            Some(name) => verifier.tenant(name),
            None => verifier,
        };
        let runs = Arc::clone(&runs);
        let handler = async move |_: Webhook| runs.fetch_add(1, Ordering::SeqCst).to_string();
        let layers = (VerifyWebhookLayer::new(verifier), once.clone());
        Router::new().route("/webhooks", post(handler).layer(layers))
    };
    for tenant in [Some("a"), Some("b"), None, Some("")] {
        let before = runs.load(Ordering::SeqCst);
        for body in [before.to_string(), String::new()] {
            assert_eq!(send(&app(tenant), delivery("1")).await, (200, None, body), "{tenant:?}");
        }
    }
    assert_eq!(runs.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn a_handler_can_read_its_lease_from_the_request() {
    let handler = async |Extension(lease): Extension<LeaseHandle>, webhook: Webhook| {
        assert_eq!(lease.id(), webhook.id());
        assert!(!lease.is_lost());
        (
            StatusCode::CONFLICT,
            lease.fencing_token().map_or("none".into(), |token| token.to_string()),
        )
    };
    let layer = DedupLayer::new(Dedup::new(MemoryStore::new()));
    let app = Router::new().route("/webhooks", post(handler).layer((verify(), layer)));
    for token in ["1", "2"] {
        assert_eq!(send(&app, delivery("1")).await, (409, None, token.to_owned()));
    }
}

#[tokio::test]
async fn a_layer_can_have_ids_of_its_own() {
    let layer = DedupLayer::new(Dedup::new(MemoryStore::new()))
        .id(|webhook| DeliveryId::of("length", &webhook.body.len().to_be_bytes()));
    let (app, runs) = app(layer, &[]);
    for (body, expected) in [("1", "ping run 0"), ("2", ""), ("10", "ping run 1"), ("20", "")] {
        assert_eq!(send(&app, delivery(body)).await, (200, None, expected.to_owned()), "{body}");
    }
    assert_eq!(runs.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn deliveries_that_a_layer_does_not_apply_to_run_each_time_even_without_a_store() {
    let store = Faulty::new();
    let layer = DedupLayer::new(Dedup::new(store.clone())).only_if(|webhook| webhook.body == "1");
    let (app, _) = app(layer, &[]);
    for (body, expected) in
        [("1", "ping run 0"), ("1", ""), ("2", "ping run 1"), ("2", "ping run 2")]
    {
        assert_eq!(send(&app, delivery(body)).await, (200, None, expected.to_owned()), "{body}");
    }
    store.set_all(Fault::Down);
    assert_eq!(send(&app, delivery("2")).await, (200, None, "ping run 3".to_owned()));
    assert_eq!(send(&app, delivery("1")).await.0, 503);
    assert_eq!(store.calls(Operation::Claim), 3);
}

#[tokio::test]
async fn any_other_status_than_2xx_releases_the_delivery() {
    let statuses = &[500, 404, 302, 400];
    let (app, _) = app(DedupLayer::new(Dedup::new(MemoryStore::new())), statuses);
    for run in 0..statuses.len() {
        let (status, _, body) = send(&app, delivery("1")).await;
        assert_eq!((status >= 300, body), (true, format!("ping run {run}")));
    }
    assert_eq!(send(&app, delivery("1")).await.2, "ping run 4");
    assert_eq!(send(&app, delivery("1")).await.2, "");
}

#[tokio::test]
async fn an_unverified_request_is_answered_with_500_and_names_the_missing_layer() {
    let handler = async || -> StatusCode { panic!("it must not run") };
    let layer = DedupLayer::new(Dedup::new(MemoryStore::new()));
    let app: Router = Router::new().route("/webhooks", post(handler).layer(layer));
    let detail = "Webhook is not verified: add VerifyWebhookLayer outside of DedupLayer";
    let answer = send(&app, delivery("1")).await;
    assert_eq!(
        answer,
        (500, None, problem(500, "Internal Server Error", "webhook_not_verified", detail))
    );
}

#[tokio::test]
async fn a_rejected_request_claims_nothing() {
    let store = Faulty::new();
    let (app, runs) = app(DedupLayer::new(Dedup::new(store.clone())), &[]);
    let mut forged = delivery("1");
    forged.headers_mut().insert(SIGNATURE_HEADER, "t=1,sha256=0".parse().unwrap());
    assert_eq!(send(&app, forged).await.0, 401);
    assert_eq!((store.calls(Operation::Claim), runs.load(Ordering::SeqCst)), (0, 0));
}

#[tokio::test]
async fn a_delivery_in_progress_is_answered_with_503_and_retry_after() {
    let (started, mut starts) = mpsc::channel(1);
    let gate = Arc::new(Semaphore::new(0));
    let handler = {
        let gate = Arc::clone(&gate);
        async move |_: Webhook| {
            started.send(()).await.unwrap();
            gate.acquire().await.unwrap().forget();
        }
    };
    let layer = DedupLayer::new(Dedup::new(MemoryStore::new()));
    let app = Router::new().route("/webhooks", post(handler).layer((verify(), layer)));
    let first = tokio::spawn({
        let app = app.clone();
        async move { send(&app, delivery("1")).await }
    });
    starts.recv().await.unwrap();
    let detail = "Webhook delivery is being handled already";
    let answer = send(&app, delivery("1")).await;
    assert_eq!(
        answer,
        (
            503,
            Some("5".to_owned()),
            problem(503, "Service Unavailable", "delivery_in_progress", detail)
        )
    );
    gate.add_permits(1);
    assert_eq!(first.await.unwrap().0, 200);
    assert_eq!(send(&app, delivery("1")).await, (200, None, String::new()));
}

#[tokio::test]
async fn if_the_store_is_down_the_answer_is_503_or_with_fail_open_the_handlers() {
    let store = Faulty::new();
    store.set_all(Fault::Down);
    let closed = Dedup::new(store.clone());
    let (app, runs) = app(DedupLayer::new(closed.clone()), &[]);
    let detail = "Webhook deduplication is not available";
    let answer = send(&app, delivery("1")).await;
    assert_eq!(
        answer,
        (
            503,
            Some("5".to_owned()),
            problem(503, "Service Unavailable", "dedup_unavailable", detail)
        )
    );
    assert_eq!(runs.load(Ordering::SeqCst), 0);

    let (app, _) = self::app(DedupLayer::new(closed.fail_open()), &[]);
    assert_eq!(send(&app, delivery("1")).await, (200, None, "ping run 0".to_owned()));
}

#[tokio::test]
async fn if_the_store_fails_after_the_handler_the_answer_is_the_handlers() {
    let store = Faulty::new();
    store.set(Operation::Complete, Fault::Down);
    let (app, _) = app(DedupLayer::new(Dedup::new(store.clone())), &[]);
    assert_eq!(send(&app, delivery("1")).await, (200, None, "ping run 0".to_owned()));
}

#[tokio::test]
async fn a_panic_of_the_handler_releases_the_delivery_and_is_passed_on() {
    for completes in [false, true] {
        let layer = DedupLayer::new(Dedup::new(MemoryStore::new()));
        let layer = if completes { layer } else { layer.stop_with_sender() };
        let runs = Arc::new(AtomicUsize::new(0));
        let handler = {
            let runs = Arc::clone(&runs);
            async move |_: Webhook| match runs.fetch_add(1, Ordering::SeqCst) {
                0 => panic!("a bug in the handler"),
                _ => "fixed",
            }
        };
        let app = Router::new().route("/webhooks", post(handler).layer((verify(), layer)));
        let panicked = tokio::spawn({
            let app = app.clone();
            async move { send(&app, delivery("1")).await }
        });
        let panic = panicked.await.unwrap_err().into_panic();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"a bug in the handler"));
        assert_eq!(send(&app, delivery("1")).await.2, "fixed");
    }
}

#[tokio::test]
async fn an_error_of_the_inner_service_releases_the_delivery_and_is_passed_on() {
    let runs = Arc::new(AtomicUsize::new(0));
    let inner = service_fn(move |_: Request<Body>| {
        let run = runs.fetch_add(1, Ordering::SeqCst);
        async move {
            match run {
                0 => Err("the service failed"),
                _ => Ok(Response::new(Body::empty())),
            }
        }
    });
    let layer = DedupLayer::new(Dedup::new(MemoryStore::new()));
    let layers = (verify().request_body::<Body>(), layer);
    let service = ServiceBuilder::new().layer(layers).service(inner);
    let send = async |body| service.clone().oneshot(delivery(body)).await.map(|r| r.status());
    assert_eq!(send("1").await, Err("the service failed"));
    assert_eq!(send("1").await, Ok(StatusCode::OK));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_cancels_the_handler_unless_it_runs_to_completion() {
    for completes in [false, true] {
        let layer = DedupLayer::new(Dedup::new(MemoryStore::new()));
        let layer = if completes { layer } else { layer.stop_with_sender() };
        let ends = Arc::new(AtomicUsize::new(0));
        let handler = {
            let ends = Arc::clone(&ends);
            async move |_: Webhook| {
                sleep(Duration::from_secs(30)).await;
                ends.fetch_add(1, Ordering::SeqCst);
                "done"
            }
        };
        let timeout =
            TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, Duration::from_secs(10));
        let route = post(handler).layer((timeout, verify(), layer));
        let app = Router::new().route("/webhooks", route);
        assert_eq!(send(&app, delivery("1")).await.0, 408);
        sleep(Duration::from_secs(1)).await;
        let retry = send(&app, delivery("1")).await;
        match completes {
            true => assert_eq!((retry.0, retry.1.as_deref()), (503, Some("5"))),
            false => assert_eq!(retry.0, 408, "it ran again"),
        }
        sleep(Duration::from_secs(30)).await;
        let last = send(&app, delivery("1")).await;
        match completes {
            true => assert_eq!((last.0, ends.load(Ordering::SeqCst)), (200, 1)),
            false => assert_eq!((last.0, ends.load(Ordering::SeqCst)), (408, 0)),
        }
    }
}

#[test]
fn without_a_runtime_the_layer_answers_with_503_and_does_not_panic() {
    for completes in [false, true] {
        let layer = DedupLayer::new(Dedup::new(MemoryStore::new()));
        let layer = if completes { layer } else { layer.stop_with_sender() };
        let (app, runs) = app(layer, &[]);
        let answer = at_once(send(&app, delivery("1")));
        assert_eq!((answer.0, answer.1.as_deref()), (503, Some("5")));
        assert_eq!(runs.load(Ordering::SeqCst), 0);
    }
}

/// Polls a future that is ready at once.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(answer) => answer,
        std::task::Poll::Pending => panic!("it waits"),
    }
}

/// Log events of the handler stay in the request's span.
#[tokio::test]
async fn a_handler_that_runs_to_completion_is_in_the_span_of_its_request() {
    let _subscriber = tracing::subscriber::set_default(tracing_subscriber::registry());
    for completes in [false, true] {
        let layer = DedupLayer::new(Dedup::new(MemoryStore::new()));
        let layer = if completes { layer } else { layer.stop_with_sender() };
        let handler = async |_: Webhook| match tracing::Span::current().metadata() {
            Some(span) => span.name(),
            None => "no span",
        };
        let app = Router::new().route("/webhooks", post(handler).layer((verify(), layer)));
        let request = send(&app, delivery("1")).instrument(tracing::info_span!("a request"));
        assert_eq!(request.await.2, "a request", "{completes}");
    }
}

#[tokio::test]
async fn the_service_that_was_polled_ready_is_the_one_that_is_called() {
    /// Panics if it is called without having been polled ready. Its clones start out not ready.
    #[derive(Debug, Default)]
    struct Strict {
        is_ready: bool,
    }
    impl Clone for Strict {
        fn clone(&self) -> Self {
            Self::default()
        }
    }
    impl<B> Service<Request<B>> for Strict {
        type Response = Response<Body>;
        type Error = Infallible;
        type Future = std::future::Ready<Result<Response<Body>, Infallible>>;
        fn poll_ready(
            &mut self,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Result<(), Infallible>> {
            self.is_ready = true;
            std::task::Poll::Ready(Ok(()))
        }
        fn call(&mut self, _: Request<B>) -> Self::Future {
            assert!(self.is_ready, "it was not polled ready");
            std::future::ready(Ok(Response::new(Body::empty())))
        }
    }
    let layer = DedupLayer::new(Dedup::new(MemoryStore::new()));
    let service = ServiceBuilder::new().layer((verify(), layer)).service(Strict::default());
    assert_eq!(service.oneshot(delivery("1")).await.unwrap().status(), 200);
}

#[test]
fn the_inner_service_of_the_layer_can_be_accessed() {
    let layer = DedupLayer::new(Dedup::new(MemoryStore::new()).scope("mailer"));
    let mut service: DedupService<u8> = tower::Layer::layer(&layer, 5);
    *service.get_mut() += 1;
    assert_eq!(*service.get_ref(), 6);
    assert!(format!("{layer:?}{service:?}").contains("mailer"), "{layer:?}{service:?}");
    assert_eq!(service.into_inner(), 6);
}
