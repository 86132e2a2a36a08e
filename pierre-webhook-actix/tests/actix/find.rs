//! Verifiers that are looked up for each request.

use std::{
    convert::Infallible,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use actix_web::{FromRequest, HttpRequest};
use pierre_webhook_actix::{Webhook, WebhookConfig};
use pierre_webhook_core::Verifier;
use pierre_webhook_tests::sample::{delivery, verifier};

use crate::payload::silent;

#[tokio::test(start_paused = true)]
async fn in_actix_the_look_up_and_the_body_share_30_seconds() {
    let takes = |seconds| {
        move |_: &HttpRequest| async move {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            Ok::<_, Infallible>(Some(verifier()))
        }
    };
    for (seconds, text) in
        [(29, "Webhook body could not be read"), (31, "Webhook verifier is not available")]
    {
        let request = delivery().to_actix().app_data(WebhookConfig::new(takes(seconds)));
        let mut payload = silent();
        let start = tokio::time::Instant::now();
        let webhook = Webhook::from_request(&request.to_http_request(), &mut payload);
        assert_eq!(webhook.await.unwrap_err().to_string(), text);
        assert_eq!(start.elapsed().as_secs(), 30);
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

#[actix_web::test]
async fn what_a_look_up_holds_is_dropped_before_the_body_arrives() {
    let is_free = Arc::<AtomicBool>::default();
    let held = Arc::clone(&is_free);
    let finder = move |_: &HttpRequest| Holding(Arc::clone(&held));
    let request = delivery().to_actix().app_data(WebhookConfig::new(finder)).to_http_request();
    let mut payload = silent();
    let mut verifying = pin!(Webhook::from_request(&request, &mut payload));
    let polled = verifying.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending() && is_free.load(Ordering::SeqCst));
}
