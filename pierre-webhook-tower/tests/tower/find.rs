//! Verifiers that are looked up for each request.

use std::{
    convert::Infallible,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::request::Parts;
use http_body_util::Full;
use pierre_webhook_core::Verifier;
use pierre_webhook_tests::{
    client::Request,
    sample::{delivery, secret, tampered, verifier},
    scripted::Silent,
};
use pierre_webhook_tower::{Rejection, VerifiedBody, VerifyWebhookLayer, Webhook};
use tower::{Layer, Service, service_fn};

#[tokio::test]
async fn a_rejection_names_the_tenant_once_its_verifier_is_found() {
    let find = |parts: &Parts| {
        let name = parts.uri.path().trim_start_matches('/').to_owned();
        async move {
            Ok::<_, Infallible>((name != "unknown").then(|| verifier().body_limit(15).tenant(name)))
        }
    };
    let handler = service_fn(async |request: http::Request<VerifiedBody>| {
        let webhook = request.extensions().get::<Webhook>().cloned();
        assert_eq!(webhook.unwrap().tenant.as_deref(), Some("acme"));
        Ok::<_, Infallible>(http::Response::new(Full::<Bytes>::default()))
    });
    let mut service = VerifyWebhookLayer::new(find).layer(handler);
    let stale = Request::delivery("ping", &secret().sign(0, b""), "");
    let unsigned = delivery().without("x-pierre-signature");
    let large = Request { body: vec![b' '; 16], ..delivery() };
    for (of, path, status, tenant) in [
        (delivery(), "/acme", 200, None),
        (delivery(), "/unknown", 401, None),
        (unsigned, "/acme", 400, None),
        (stale, "/acme", 401, Some("acme")),
        (tampered(), "/acme", 401, Some("acme")),
        (large, "/acme", 413, Some("acme")),
    ] {
        let body = Full::<Bytes>::from(of.body.clone());
        let request = of.path(path).to_http(body);
        let response = service.call(request).await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        let rejection = response.extensions().get::<Rejection>();
        assert_eq!(rejection.and_then(Rejection::tenant), tenant, "{path} {status}");
    }
}

/// Finds a verifier at once, and holds something until it is dropped.
struct Holding(Arc<AtomicBool>);

impl Future for Holding {
    type Output = Result<Option<Verifier>, Infallible>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(Some(verifier())))
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn what_a_look_up_holds_is_dropped_before_the_body_arrives() {
    let is_free = Arc::<AtomicBool>::default();
    let finder = |_: &Parts| Holding(Arc::clone(&is_free));
    let handler = service_fn(async |_: http::Request<VerifiedBody>| {
        Ok::<_, Infallible>(http::Response::new(Full::<Bytes>::default()))
    });
    let mut service = VerifyWebhookLayer::new(finder).layer(handler);
    let mut verifying = pin!(service.call(delivery().to_http(Silent)));
    let polled = verifying.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending() && is_free.load(Ordering::SeqCst));
}
