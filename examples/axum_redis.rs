//! Handles each delivery once, with axum, over restarts and on all machines that share a Redis (7.0 or newer).
//!
//! ```sh
//! redis-server --port 6379 --bind 127.0.0.1 --appendonly yes --maxmemory-policy noeviction
//! PIERRE_WEBHOOK_SECRET=whsec_k3yForDocsOnly_2f6c cargo run --bin example-axum-redis
//! PIERRE_WEBHOOK_SECRET=whsec_k3yForDocsOnly_2f6c examples/send.sh    # twice: the second is not handled
//! ```
//!
//! `REDIS_URL` is the address of the Redis (default: redis://127.0.0.1:6379). Start a second server on another
//! `BIND_ADDRESS`, and send to both.

mod shutdown;

use std::{env, error::Error, process::ExitCode, time::Duration};

use axum::{Router, http::StatusCode, routing::post};
use pierre_webhook_dedup::{Dedup, DedupLayer, RedisStore};
use pierre_webhook_tower::{Secret, Verifier, VerifyWebhookLayer, Webhook};
use tokio::net::TcpListener;
use tower_http::timeout::TimeoutLayer;
use tracing::{info, warn};

/// Longer than the sender keeps retrying, and longer than the max age plus the future tolerance.
const RETENTION: Duration = Duration::from_secs(72 * 60 * 60);

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
    let redis = env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".to_owned());
    let told_to_end = shutdown::signal()?;

    // The error doesn't name the URL, which may contain a password. Use `connect_lazy` to start even if Redis is down.
    let store = RedisStore::connect(&redis)
        .await
        .map_err(|error| format!("cannot use the Redis of REDIS_URL: {error}"))?;
    // The scope separates consumers: another service that shares the Redis also handles every delivery.
    let dedup = Dedup::new(store).scope("deploy").retention(RETENTION);
    let verify = VerifyWebhookLayer::new(Verifier::new(secret));
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
