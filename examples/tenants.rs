//! A secret for each tenant, looked up for each request: `POST /webhooks/{tenant}`.
//!
//! The secret of the tenant `acme` is in the file `acme` of a directory, so tenants can be added and removed while the
//! server runs. To use a database instead, change only `look_up`.
//!
//! ```sh
//! mkdir secrets
//! echo whsec_k3yForDocsOnly_2f6c > secrets/acme
//! PIERRE_WEBHOOK_SECRET_DIRECTORY=secrets cargo run --bin example-tenants
//! PIERRE_WEBHOOK_SECRET=whsec_k3yForDocsOnly_2f6c examples/send.sh http://127.0.0.1:8787/webhooks/acme
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
    process::ExitCode,
    time::Duration,
};

use axum::{
    Router,
    http::{StatusCode, request::Parts},
    routing::post,
};
use pierre_webhook_tower::{Verifier, VerifyWebhookLayer, Webhook};
use tokio::net::TcpListener;
use tower_http::timeout::TimeoutLayer;
use tracing::{error, info};

/// How long a request may take from its head to its response, including the lookup, the body and the handler.
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
    let directory: PathBuf = env::var_os("PIERRE_WEBHOOK_SECRET_DIRECTORY")
        .ok_or("PIERRE_WEBHOOK_SECRET_DIRECTORY must name a directory with one file per tenant")?
        .into();
    // If it doesn't exist, every tenant would be unknown, without a hint why.
    if !directory.is_dir() {
        return Err(format!("{} is not a directory", directory.display()).into());
    }
    let address = env::var("BIND_ADDRESS").unwrap_or_else(|_| "127.0.0.1:8787".to_owned());
    let told_to_end = shutdown::signal()?;

    let layer = VerifyWebhookLayer::new(move |head: &Parts| {
        // Take what is needed out of the head first: the future must not borrow from it.
        let tenant = tenant(head.uri.path()).map(str::to_owned);
        let directory = directory.clone();
        async move {
            match tenant {
                Some(tenant) => look_up(&directory, tenant).await,
                None => Ok(None),
            }
        }
    });
    // The timeout is outermost, to bound how long the layer waits for the lookup and for a body.
    let timeout = TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIMEOUT);
    let route = post(receive).route_layer((timeout, layer));
    let app = Router::new().route("/webhooks/{tenant}", route);

    let listener = TcpListener::bind(&address)
        .await
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    info!("listening on http://{}/webhooks/{{tenant}}", listener.local_addr()?);
    axum::serve(listener, app).with_graceful_shutdown(told_to_end).await?;
    info!("ended");
    Ok(())
}

/// Returns the tenant in a path. Only characters that are safe in a file name are allowed, so it can't leave the
/// directory: no `..`, no `%2f`.
fn tenant(path: &str) -> Option<&str> {
    let tenant = path.strip_prefix("/webhooks/")?;
    let is_name = (1..=64).contains(&tenant.len())
        && tenant.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    is_name.then_some(tenant)
}

/// Anyone can cause a lookup, since nothing is verified yet. If yours costs more than reading a file, cache it.
///
/// For an unknown tenant this returns `None`, and the sender gets the response of a wrong signature. If the lookup
/// fails, the sender gets a 503. The cause is only in our log.
async fn look_up(directory: &Path, tenant: String) -> io::Result<Option<Verifier>> {
    let file = directory.join(&tenant);
    match secrets_file::read(&file).await {
        Ok(verifier) => Ok(Some(verifier.tenant(tenant))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            error!("cannot read {}: {error}", file.display());
            Err(error)
        }
    }
}

/// Takes the tenant from the delivery instead of parsing the path again: its secret is the one that verified the
/// delivery.
async fn receive(webhook: Webhook) -> StatusCode {
    info!(tenant = webhook.tenant.as_deref(), event_type = webhook.event_type(), "received");
    StatusCode::NO_CONTENT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_is_a_plain_file_name() {
        assert_eq!(tenant("/webhooks/acme-2"), Some("acme-2"));
        for path in ["/webhooks/", "/webhooks/..", "/webhooks/a/b", "/webhooks/%2e", "/other"] {
            assert_eq!(tenant(path), None, "{path}");
        }
    }
}
