//! A Lambda function for the tests: `/webhooks/<n>` verifies with the settings of the n-th delivery of the table.

use std::{convert::Infallible, sync::Arc};

use axum::{Router, routing::post};
use http::request::Parts;
use pierre_webhook_tests::vectors::deliveries;
use pierre_webhook_tower::{Verifier, VerifyWebhookLayer, Webhook};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let verifiers: Arc<Vec<Verifier>> =
        Arc::new(deliveries().iter().map(|delivery| delivery.verifier()).collect());
    let layer = VerifyWebhookLayer::new(move |parts: &Parts| {
        let of_path = parts.uri.path().rsplit('/').next().and_then(|n| n.parse::<usize>().ok());
        let verifier = of_path.and_then(|n| verifiers.get(n).cloned());
        async { Ok::<_, Infallible>(verifier) }
    });
    let app = Router::new().route("/webhooks/{n}", post(receive).route_layer(layer));
    lambda_http::run(app).await
}

/// Responds with what was verified, the body included.
async fn receive(webhook: Webhook) -> Vec<u8> {
    let verified = format!("{} {} ", webhook.event_type(), webhook.signed_at);
    [verified.as_bytes(), &webhook.body].concat()
}
