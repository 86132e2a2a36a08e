//! A server with actix, to copy: settings from the environment, logs, timeouts, an orderly end.
//!
//! ```sh
//! PIERRE_WEBHOOK_SECRET=whsec_k3yForDocsOnly_2f6c cargo run --bin example-actix
//! PIERRE_WEBHOOK_SECRET=whsec_k3yForDocsOnly_2f6c examples/send.sh
//! ```
//!
//! `BIND_ADDRESS` is where it listens, 127.0.0.1:8787 if unset. `RUST_LOG` is what it logs, INFO if unset;
//! with `debug` also the refusals that are no 401.

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

/// How long a client may take over a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the look-up of a verifier and a request's body may take together.
const RECEIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// From a request's head to its response: longer than the body may take, since it bounds the handler.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// How many seconds requests under way may take to end once the server has been told to.
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

    // Made once: the closure below runs once for each worker.
    let config = WebhookConfig::new(Verifier::new(secret)).timeout(RECEIVE_TIMEOUT);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(config.clone())
            .wrap(from_fn(time_limit))
            .route("/webhooks", web::post().to(receive))
    })
    .client_request_timeout(HEAD_TIMEOUT)
    // By itself actix would end in an orderly way on SIGTERM alone.
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

/// Actix has no timeout of its own for a handler.
async fn time_limit(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    timeout(REQUEST_TIMEOUT, next.call(request))
        .await
        .unwrap_or_else(|_| Err(ErrorRequestTimeout("the request took too long")))
}

/// Runs for verified deliveries alone, since it takes a plain `Webhook`.
///
/// What is not answered with success is sent again: answer once the event is safe, in a queue or a database,
/// and work on it from there. `webhook.id()` stays the same when a delivery is repeated.
async fn receive(webhook: Webhook) -> HttpResponse {
    // Texts in an event are the sender's: as fields they are logged escaped, in a message they are not.
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
        // Success, or it would be sent again and again. Its name is not signed: see `UnknownEvent`.
        Event::Unknown(event) => info!(event_type = event.event_type, "not known, ignored"),
        // A later version of the crate may know more events than this program does.
        _ => info!(event_type = webhook.event_type(), "not handled"),
    }
    HttpResponse::NoContent().finish()
}
