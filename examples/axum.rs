//! An axum server to copy: settings from the environment, logs, timeouts, graceful shutdown.
//!
//! ```sh
//! PIERRE_WEBHOOK_SECRET=whsec_k3yForDocsOnly_2f6c cargo run --bin example-axum
//! PIERRE_WEBHOOK_SECRET=whsec_k3yForDocsOnly_2f6c examples/send.sh
//! ```
//!
//! It listens on `BIND_ADDRESS` (default: 127.0.0.1:8787) and logs at the level `RUST_LOG` (default: INFO). `debug`
//! also logs rejections other than 401.

mod shutdown;

use std::{env, error::Error, process::ExitCode, time::Duration};

use axum::{Router, http::StatusCode, routing::post};
use pierre_webhook_tower::{Event, Secret, Verifier, VerifyWebhookLayer, Webhook};
use tokio::{net::TcpListener, time::sleep};
use tower::ServiceBuilder;
use tower_http::timeout::{RequestBodyTimeoutLayer, TimeoutLayer};
use tracing::{info, warn};

/// The longest pause between two chunks of a body.
const BODY_PAUSE: Duration = Duration::from_secs(5);

/// How long a request may take from its head to its response, including the body and the handler.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// How long requests in progress may take to finish after the shutdown signal.
const GRACE: Duration = Duration::from_secs(30);

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
    let told_to_end_too = shutdown::signal()?;

    // The timeouts are outermost, to bound how long the layer waits for a body.
    let layers = ServiceBuilder::new()
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIMEOUT))
        .layer(RequestBodyTimeoutLayer::new(BODY_PAUSE))
        .layer(VerifyWebhookLayer::new(Verifier::new(secret)));
    // A `route_layer` runs after the method was matched, so a GET is a 405 and not a rejected webhook.
    let app = Router::new().route("/webhooks", post(receive).route_layer(layers));

    let listener = TcpListener::bind(&address)
        .await
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    info!("listening on http://{}/webhooks", listener.local_addr()?);

    // `axum::serve` doesn't bound how long a client takes to send the head of a request. If no proxy in front does,
    // serve the router as in hyper.rs.
    let serving = axum::serve(listener, app).with_graceful_shutdown(told_to_end);
    let overdue = async {
        told_to_end_too.await;
        sleep(GRACE).await;
    };
    tokio::select! {
        result = serving.into_future() => result?,
        () = overdue => warn!("some requests did not finish in time"),
    }
    info!("ended");
    Ok(())
}

/// Runs only for verified deliveries.
///
/// The sender retries until it gets a success. So respond once the event is stored, in a queue or a database, and
/// process it from there. `webhook.id()` is the same for every retry.
async fn receive(webhook: Webhook) -> StatusCode {
    // The texts in an event come from the sender. Log them as fields, which are escaped; a message isn't.
    match &webhook.event {
        Event::Push(push) => info!(
            repository = push.repository.url,
            branch = push.branch(),
            tag = push.tag(),
            before = push.before,
            after = push.after,
            "push"
        ),
        Event::RepoSyncStarted(sync) => {
            info!(repository = sync.repository.url, is_first = sync.is_first_sync, "sync started")
        }
        Event::RepoSyncSucceeded(sync) => info!(
            repository = sync.repository.url,
            seconds = sync.completed_at.duration_since(sync.started_at).as_secs(),
            "sync succeeded"
        ),
        Event::RepoSyncFailed(sync) => {
            warn!(repository = sync.repository.url, error = sync.error.as_str(), "sync failed")
        }
        // Respond with success, or the sender would retry. The event's name isn't signed: see `UnknownEvent`.
        Event::Unknown(event) => info!(event_type = event.event_type, "not known, ignored"),
        // A later version of the crate may know more events than this program does.
        _ => info!(event_type = webhook.event_type(), "not handled"),
    }
    StatusCode::NO_CONTENT
}

#[cfg(test)]
mod tests {
    use pierre_webhook_tower::TestDelivery;

    use super::*;

    #[tokio::test]
    async fn a_push_is_answered_with_success() {
        let webhook = TestDelivery::push().branch("dev").delivery().into();
        assert_eq!(receive(webhook).await, StatusCode::NO_CONTENT);
    }

    #[tokio::test]
    async fn an_unknown_event_is_answered_with_success() {
        let webhook = TestDelivery::new("branch.created", "{}").delivery().into();
        assert_eq!(receive(webhook).await, StatusCode::NO_CONTENT);
    }
}
