//! Handles each delivery once, with actix, in one process. With a `RedisStore` instead of the `MemoryStore`, as in
//! axum_redis.rs, this also holds over restarts and on several machines.
//!
//! ```sh
//! PIERRE_WEBHOOK_SECRET=whsec_k3yForDocsOnly_2f6c cargo run --bin example-actix-dedup
//! PIERRE_WEBHOOK_SECRET=whsec_k3yForDocsOnly_2f6c examples/send.sh    # twice: the second is not handled
//! ```

mod shutdown;

use std::{env, error::Error, io, process::ExitCode, time::Duration};

use actix_web::{App, HttpResponse, HttpServer, Responder, web};
use pierre_webhook_actix::{Secret, Verifier, Webhook, WebhookConfig};
use pierre_webhook_dedup::{Dedup, MemoryStore};
use tracing::{info, warn};

/// How long handlers may take to end once the server has been told to.
const GRACE: Duration = Duration::from_secs(20);

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

    // Created once, because the closure below runs once per worker, and all workers share the records.
    let config = WebhookConfig::new(Verifier::new(secret));
    let dedup = Dedup::new(MemoryStore::new());
    let data = web::Data::new(dedup.clone());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(config.clone())
            .app_data(data.clone())
            .route("/webhooks", web::post().to(receive))
    })
    .shutdown_signal(shutdown::signal()?)
    .bind(&address)
    .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    for address in server.addrs() {
        info!("listening on http://{address}/webhooks");
    }
    server.run().await?;
    // What doesn't finish in time is handed to the next process.
    let unfinished = dedup.shutdown(GRACE).await;
    if !unfinished.is_empty() {
        warn!("{unfinished}");
    }
    Ok(())
}

/// Responds with what `deploy` returns, with 200 if the delivery was handled before, and with 503 if it is being
/// handled or the store failed.
async fn receive(webhook: Webhook, dedup: web::Data<Dedup>) -> actix_web::Result<impl Responder> {
    let dedup = dedup.for_tenant(webhook.tenant.as_deref());
    Ok(dedup.once(webhook.id(), || deploy(&webhook)).await?)
}

/// Any `Ok` completes the delivery. After an `Err` or a panic, the sender's retry runs this again. The error can be any
/// `ResponseError`. `actix_web::Error` doesn't implement that, so use an error type of your own.
async fn deploy(webhook: &Webhook) -> io::Result<HttpResponse> {
    info!(id = %webhook.id(), event_type = webhook.event_type(), "handled");
    Ok(HttpResponse::NoContent().finish())
}
