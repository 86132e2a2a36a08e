//! Stores each delivery before it answers, and processes it with retries: with axum, and SQLite in a file. Nothing that was
//! answered with 200 is lost, also if the program is killed.
//!
//! ```sh
//! PIERRE_WEBHOOK_SECRET=whsec_k3yForDocsOnly_2f6c cargo run --bin example-axum-inbox
//! PIERRE_WEBHOOK_SECRET=whsec_k3yForDocsOnly_2f6c examples/send.sh    # twice: the second is stored already
//! ```
//!
//! `WEBHOOK_INBOX` is the file (default: webhooks.db).

mod shutdown;

use std::{env, error::Error, process::ExitCode, time::Duration};

use axum::{Router, http::StatusCode, routing::post};
use pierre_webhook_inbox::{Inbox, Job, Worker};
use pierre_webhook_tower::{Secret, Verifier, VerifyWebhookLayer};
use tokio::{net::TcpListener, time::interval};
use tower_http::timeout::TimeoutLayer;
use tracing::{info, warn};

/// How long a request may take from its head to its response: the body and the insert.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// How long the body of a delivery is kept once it is done.
const KEEP: Duration = Duration::from_secs(24 * 60 * 60);

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
    let file = env::var("WEBHOOK_INBOX").unwrap_or_else(|_| "webhooks.db".to_owned());
    // The server and the worker are told at the same time.
    let (server_told, worker_told) = (shutdown::signal()?, shutdown::signal()?);

    let inbox =
        Inbox::sqlite(&file).await.map_err(|error| format!("cannot use {file}: {error}"))?;
    let verify = VerifyWebhookLayer::new(Verifier::new(secret));
    // The timeout is outermost, to bound how long the layer waits for a body.
    let timeout = TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIMEOUT);
    let route = post(inbox.receiver()).route_layer((timeout, verify));
    let app = Router::new().route("/webhooks", route);
    let listener = TcpListener::bind(&address)
        .await
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    info!("listening on http://{}/webhooks", listener.local_addr()?);

    // The worker may also be another program, which opens the same file.
    let worker = Worker::new(inbox.clone(), deploy).ordered_by_repository();
    let working = tokio::spawn(worker.run(worker_told));
    let pruning = tokio::spawn(prune(inbox));
    axum::serve(listener, app).with_graceful_shutdown(server_told).await?;
    working.await??;
    pruning.abort();
    Ok(())
}

/// After an error or a panic it runs again, and it may run again after a success if the program is killed meanwhile.
async fn deploy(job: Job) -> Result<(), Box<dyn Error + Send + Sync>> {
    info!(id = %job.id(), attempt = job.attempt(), event_type = job.event_type(), "handled");
    Ok(())
}

async fn prune(inbox: Inbox) {
    let mut hourly = interval(Duration::from_secs(60 * 60));
    loop {
        hourly.tick().await;
        if let Err(error) = inbox.prune(KEEP).await {
            warn!("cannot prune: {error}");
        }
    }
}
