//! An AWS Lambda function behind a function URL, an API Gateway or a load balancer. book/src/lambda.md says what to watch
//! out for.
//!
//! ```sh
//! cargo lambda build --release --bin example-lambda    # then deploy it with PIERRE_WEBHOOK_SECRET in its environment
//! ```

use axum::{Router, http::StatusCode, routing::post};
use pierre_webhook_tower::{Secret, Verifier, VerifyWebhookLayer, Webhook};

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    let verifier = Verifier::new(Secret::from_env("PIERRE_WEBHOOK_SECRET")?);
    let layer = VerifyWebhookLayer::new(verifier);
    // A gateway with a stage puts its name in front of the path: set AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH=true there.
    let app = Router::new().route("/webhooks", post(receive).route_layer(layer));
    lambda_http::run(app).await
}

/// Store the event before this returns: the process is frozen as soon as the response is sent, and what a spawned task
/// had yet to do may never happen.
async fn receive(webhook: Webhook) -> StatusCode {
    println!("{}", webhook.event_type());
    StatusCode::NO_CONTENT
}
