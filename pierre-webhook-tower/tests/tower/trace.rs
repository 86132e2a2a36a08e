//! What is logged about a rejection, and what is counted.

use axum::{Router, body::Body, routing::post};
use http::request::Parts;
use pierre_webhook_tests::{
    counted::Counted,
    log::Log,
    rejections::{expected_counts, expected_log, requests, secrets, unavailable},
    sample::{delivery, verifier},
};
use pierre_webhook_tower::{VerifyWebhookLayer, Webhook};
use tower::ServiceExt;

#[tokio::test]
async fn the_layer_logs_each_rejection_and_counts_each_request_once() {
    let log = Log::default();
    let guard = log.subscribe();
    let counted = Counted::new();
    let handler = post(async |_: Webhook| "");
    let layered = Router::new()
        .route("/webhooks", handler.clone().layer(VerifyWebhookLayer::new(verifier())))
        .route(
            "/unavailable",
            handler.clone().layer(VerifyWebhookLayer::new(|_: &Parts| unavailable())),
        )
        .route("/acme", handler.clone().layer(VerifyWebhookLayer::new(verifier().tenant("acme"))))
        .route("/bare", handler);
    for of in requests().into_iter().chain([delivery().path("/bare")]) {
        let request = of.to_http(Body::from(of.body.clone()));
        layered.clone().oneshot(request).await.unwrap();
    }
    drop(guard);
    assert_eq!(counted.lines(), expected_counts());
    let mut expected = expected_log("pierre_webhook_tower");
    expected.push(
        "ERROR pierre_webhook_tower status=500 code=\"webhook_not_verified\" reason=Webhook is not verified: add \
         VerifyWebhookLayer to this route event_type=\"ping\""
            .into(),
    );
    assert_eq!(log.lines(&secrets()), expected);
}
