//! Handles each delivery once, with actix, in one process. With a `RedisStore` instead of the `MemoryStore`, as in
//! axum_redis.rs, this also holds over restarts and on several machines.
//!
//! ```sh
//! PIERRE_WEBHOOK_SECRET=whsec_k3yForDocsOnly_2f6c cargo run --bin example-actix-dedup
//! PIERRE_WEBHOOK_SECRET=whsec_k3yForDocsOnly_2f6c examples/send.sh    # twice: the second is not handled
//! ```

mod shutdown;

use std::{env, error::Error, process::ExitCode, time::Duration};

use actix_web::{App, HttpResponse, HttpServer, web};
use pierre_webhook_actix::{Secret, Verifier, VerifyWebhook, Webhook};
use pierre_webhook_dedup::{Dedup, DedupMiddleware, MemoryStore};
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
    let verify = VerifyWebhook::new(Verifier::new(secret));
    let dedup = Dedup::new(MemoryStore::new());
    let once = DedupMiddleware::new(dedup.clone());
    let signal = shutdown::signal()?;
    let server = HttpServer::new(move || {
        // The last `wrap` is called first.
        let route = web::resource("/webhooks").route(web::post().to(deploy));
        App::new().service(route.wrap(once.clone()).wrap(verify.clone()))
    })
    .shutdown_signal(async move {
        signal.await;
        // The workers drop handlers that still run when they stop, so let them end first. New deliveries get a 503.
        // What doesn't finish in time is handed to the next process.
        let unfinished = dedup.shutdown(GRACE).await;
        if !unfinished.is_empty() {
            warn!("{unfinished}");
        }
    })
    .bind(&address)
    .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    for address in server.addrs() {
        info!("listening on http://{address}/webhooks");
    }
    server.run().await?;
    Ok(())
}

/// Runs once per delivery. A 2xx completes it. After any other status or a panic, the sender's retry runs this again. It
/// runs to its end even if the sender disconnects.
async fn deploy(webhook: Webhook) -> HttpResponse {
    info!(id = %webhook.id(), event_type = webhook.event_type(), "handled");
    HttpResponse::NoContent().finish()
}
