//! The receiver's process.

use axum::{Router, routing::post};
use pierre_webhook_core::{Secret, Verifier};
use pierre_webhook_tower::VerifyWebhookLayer;
use tokio::net::TcpListener;

use crate::{storage::Storage, worker::standard_input_ends};

pub(crate) const SECRET: &str = "the secret of the proof";

#[tokio::main]
pub(crate) async fn run(storage: &Storage, port: u16) {
    let inbox = storage.open().await;
    // A delivery may be sent for minutes, always with the same signature.
    let verifier = Verifier::new(Secret::new(SECRET).expect("a secret")).any_age();
    let route = post(inbox.receiver()).route_layer(VerifyWebhookLayer::new(verifier));
    let app = Router::new().route("/webhooks", route);
    let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("its port");
    println!("ready");
    axum::serve(listener, app)
        .with_graceful_shutdown(standard_input_ends())
        .await
        .expect("a server");
}
