//! Handles each delivery once, with axum, in one process: retries and simultaneous duplicates don't run the handler
//! again. The records are lost when the program ends. axum_redis.rs keeps them.
//!
//! ```sh
//! PIERRE_WEBHOOK_SECRET=whsec_k3yForDocsOnly_2f6c cargo run --bin example-axum-dedup
//! PIERRE_WEBHOOK_SECRET=whsec_k3yForDocsOnly_2f6c examples/send.sh    # twice: the second is not handled
//! ```

mod shutdown;

use std::{env, error::Error, process::ExitCode, time::Duration};

use axum::{Router, http::StatusCode, routing::post};
use pierre_webhook_dedup::{Dedup, DedupLayer, MemoryStore};
use pierre_webhook_tower::{Secret, Verifier, VerifyWebhookLayer, Webhook};
use tokio::net::TcpListener;
use tower_http::timeout::TimeoutLayer;
use tracing::{info, warn};

/// How long a request may take from its head to its response, including the body and the handler.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// How long handlers may take to end once the server has been told to.
const GRACE: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt::init();
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let secret = Secret::from_env("PIERRE_WEBHOOK_SECRET")?;
    let address = env::var("BIND_ADDRESS").unwrap_or_else(|_| "127.0.0.1:8787".to_owned());
    let told_to_end = shutdown::signal()?;

    let verify = VerifyWebhookLayer::new(Verifier::new(secret));
    // A sender that disconnects doesn't stop a deploy that has begun. If it retries meanwhile, it gets a 503.
    let dedup = Dedup::new(MemoryStore::new());
    let once = DedupLayer::new(dedup.clone());
    // The timeout is outermost, to bound how long the layer waits for a body. It doesn't stop a deploy that has begun.
    let timeout = TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIMEOUT);
    let app = Router::new().route("/webhooks", post(deploy).route_layer((timeout, verify, once)));

    let listener = TcpListener::bind(&address)
        .await
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    info!("listening on http://{}/webhooks", listener.local_addr()?);
    axum::serve(listener, app).with_graceful_shutdown(told_to_end).await?;
    // Handlers finish even if their sender has gone. What doesn't finish in time is handed to the next process.
    let unfinished = dedup.shutdown(GRACE).await;
    if !unfinished.is_empty() {
        warn!("{unfinished}");
    }
    Ok(())
}

/// A 2xx completes the delivery. After any other response or a panic, the sender's retry runs this again.
async fn deploy(webhook: Webhook) -> StatusCode {
    info!(id = %webhook.id(), event_type = webhook.event_type(), "handled");
    StatusCode::NO_CONTENT
}
