//! Replaces secrets while the server runs: on SIGHUP it reads their file again.
//!
//! The file has one secret per line: the current one first, then the previous ones that are still accepted.
//!
//! ```sh
//! echo whsec_old > secrets.txt
//! PIERRE_WEBHOOK_SECRET_FILE=secrets.txt cargo run --bin example-rotation
//! PIERRE_WEBHOOK_SECRET=whsec_old examples/send.sh
//!
//! printf '%s\n' whsec_new whsec_old > secrets.txt     # 1. accept both
//! kill -HUP <the process id that it logs>
//! PIERRE_WEBHOOK_SECRET=whsec_new examples/send.sh    # 2. give the sender the new one
//! echo whsec_new > secrets.txt                        # 3. once nobody signs with the old one, remove it
//! kill -HUP <the process id that it logs>
//! ```
//!
//! It listens on `BIND_ADDRESS` (default: 127.0.0.1:8787).

mod secrets_file;
mod shutdown;

use std::{
    env,
    error::Error,
    io,
    path::{Path, PathBuf},
    process::{self, ExitCode},
    time::Duration,
};

use axum::{Router, http::StatusCode, routing::post};
use pierre_webhook_tower::{LiveVerifier, VerifyWebhookLayer, Webhook};
use tokio::net::TcpListener;
use tower_http::timeout::TimeoutLayer;
use tracing::{error, info, warn};

/// How long a request may take from its head to its response, including the body and the handler.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

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
    let file: PathBuf = env::var_os("PIERRE_WEBHOOK_SECRET_FILE")
        .ok_or(
            "PIERRE_WEBHOOK_SECRET_FILE must name a file with one secret per line, the current one first",
        )?
        .into();
    let address = env::var("BIND_ADDRESS").unwrap_or_else(|_| "127.0.0.1:8787".to_owned());
    let told_to_end = shutdown::signal()?;
    let mut told_to_read = hangups()?;

    // If the file can't be read now, the server doesn't start. Later, it keeps the secrets that it has.
    let live = LiveVerifier::new(read(&file).await?);
    let verify = VerifyWebhookLayer::new(live.clone());
    // The timeout is outermost, to bound how long the layer waits for a body.
    let timeout = TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIMEOUT);
    let app = Router::new().route("/webhooks", post(receive).route_layer((timeout, verify)));
    tokio::spawn(async move {
        while told_to_read.recv().await.is_some() {
            match read(&file).await {
                Ok(verifier) => {
                    live.replace(verifier);
                    info!("replaced the secrets");
                }
                Err(error) => error!("kept the secrets in use: {error}"),
            }
        }
    });

    let listener = TcpListener::bind(&address)
        .await
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    info!(process = process::id(), "listening on http://{}/webhooks", listener.local_addr()?);
    axum::serve(listener, app).with_graceful_shutdown(told_to_end).await?;
    info!("ended");
    Ok(())
}

async fn read(file: &Path) -> Result<pierre_webhook_tower::Verifier, String> {
    secrets_file::read(file).await.map_err(|error| format!("{}: {error}", file.display()))
}

#[cfg(unix)]
fn hangups() -> io::Result<tokio::signal::unix::Signal> {
    tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())
}

/// Windows has no SIGHUP.
#[cfg(windows)]
fn hangups() -> io::Result<tokio::signal::windows::CtrlBreak> {
    tokio::signal::windows::ctrl_break()
}

async fn receive(webhook: Webhook) -> StatusCode {
    if webhook.matched_secret > 0 {
        warn!(event_type = webhook.event_type(), "received, signed with a previous secret");
    } else {
        info!(event_type = webhook.event_type(), "received");
    }
    StatusCode::NO_CONTENT
}
