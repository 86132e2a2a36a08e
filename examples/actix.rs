//! An actix server to copy: settings from the environment, logs, timeouts, graceful shutdown.
//!
//! ```sh
//! PIERRE_WEBHOOK_SECRET=whsec_k3yForDocsOnly_2f6c cargo run --bin example-actix
//! PIERRE_WEBHOOK_SECRET=whsec_k3yForDocsOnly_2f6c examples/send.sh
//! ```
//!
//! It listens on `BIND_ADDRESS` (default: 127.0.0.1:8787) and logs at the level `RUST_LOG` (default: INFO). `debug`
//! also logs rejections other than 401.

mod shutdown;

use std::{env, error::Error, process::ExitCode, time::Duration};

use actix_web::{
    App, HttpResponse, HttpServer,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    error::ErrorRequestTimeout,
    middleware::{Next, from_fn},
    rt::time::timeout,
    web,
};
use pierre_webhook_actix::{Event, Secret, Verifier, Webhook, WebhookConfig};
use tracing::{info, warn};

/// How long a client may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the lookup of the verifier and the body may take together.
const RECEIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a request may take from its head to its response. It also covers the handler, so it is longer than the
/// body may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// How many seconds requests in progress may take to finish after the shutdown signal.
const GRACE: u64 = 30;

#[actix_web::main]
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

    // Created once, because the closure below runs once per worker.
    let config = WebhookConfig::new(Verifier::new(secret)).timeout(RECEIVE_TIMEOUT);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(config.clone())
            .wrap(from_fn(time_limit))
            .route("/webhooks", web::post().to(receive))
    })
    .client_request_timeout(HEAD_TIMEOUT)
    // By default, actix shuts down gracefully only on SIGTERM.
    .shutdown_signal(shutdown::signal()?)
    .shutdown_timeout(GRACE)
    .bind(&address)
    .map_err(|error| format!("cannot listen on {address}: {error}"))?;

    for address in server.addrs() {
        info!("listening on http://{address}/webhooks");
    }
    server.run().await?;
    info!("ended");
    Ok(())
}

/// A timeout for handlers, since actix has none.
async fn time_limit(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    timeout(REQUEST_TIMEOUT, next.call(request))
        .await
        .unwrap_or_else(|_| Err(ErrorRequestTimeout("the request took too long")))
}

/// Runs only for verified deliveries, because it takes a plain `Webhook`.
///
/// The sender retries until it gets a success. So respond once the event is stored, in a queue or a database, and
/// process it from there. `webhook.id()` is the same for every retry.
async fn receive(webhook: Webhook) -> HttpResponse {
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
    HttpResponse::NoContent().finish()
}

#[cfg(test)]
mod tests {
    use pierre_webhook_actix::TestDelivery;

    use super::*;

    #[actix_web::test]
    async fn a_push_is_answered_with_success() {
        let webhook = TestDelivery::push().branch("dev").delivery().into();
        assert_eq!(receive(webhook).await.status(), 204);
    }

    #[actix_web::test]
    async fn an_unknown_event_is_answered_with_success() {
        let webhook = TestDelivery::new("branch.created", "{}").delivery().into();
        assert_eq!(receive(webhook).await.status(), 204);
    }
}
