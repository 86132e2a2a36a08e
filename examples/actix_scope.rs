//! Protects a whole actix scope with the middleware `VerifyWebhook`, whatever its handlers take. `actix.rs` verifies in
//! the handler instead, and has the time limits of a server in production.
//!
//! ```sh
//! PIERRE_WEBHOOK_SECRET=whsec_k3yForDocsOnly_2f6c cargo run --bin example-actix-scope
//! PIERRE_WEBHOOK_SECRET=whsec_k3yForDocsOnly_2f6c examples/send.sh http://127.0.0.1:8787/webhooks/deploy
//! ```

mod shutdown;

use std::{env, error::Error, process::ExitCode};

use actix_web::{App, HttpResponse, HttpServer, Scope, web};
use pierre_webhook_actix::{Event, Secret, Verifier, VerifyWebhook, Webhook};
use tracing::info;

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
    let verify = VerifyWebhook::new(Verifier::new(secret));
    let server = HttpServer::new(move || {
        App::new()
            .service(webhooks().wrap(verify.clone()))
            // Outside of the scope, so anyone may call it.
            .route("/health", web::get().to(HttpResponse::Ok))
    })
    .shutdown_signal(shutdown::signal()?)
    .bind(&address)
    .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    for address in server.addrs() {
        info!("listening on http://{address}/webhooks/deploy and /webhooks/archive");
    }
    server.run().await?;
    Ok(())
}

/// The routes behind the middleware. They share its secret, so a delivery for one can be sent to the other.
fn webhooks() -> Scope {
    web::scope("/webhooks")
        .route("/deploy", web::post().to(deploy))
        .route("/archive", web::post().to(archive))
}

/// Takes a plain `Webhook`. If somebody removes the middleware, the answer is a 500 that says so.
async fn deploy(webhook: Webhook) -> HttpResponse {
    match &webhook.event {
        Event::Push(push) => info!(repository = push.repository.url, after = push.after, "deploy"),
        _ => info!(event_type = webhook.event_type(), "not deployed"),
    }
    HttpResponse::NoContent().finish()
}

/// Takes only the bytes, which the middleware has verified.
async fn archive(body: web::Bytes) -> HttpResponse {
    info!(bytes = body.len(), "archived");
    HttpResponse::NoContent().finish()
}

#[cfg(test)]
mod tests {
    use actix_web::test::{call_service, init_service};
    use pierre_webhook_actix::{TestDelivery, test_request};

    use super::*;

    #[actix_web::test]
    async fn no_route_of_the_scope_is_reached_by_a_forged_request() {
        let [secret, other] = ["test", "another"].map(|secret| Secret::new(secret).unwrap());
        let verify = VerifyWebhook::new(Verifier::new(secret.clone()));
        let app = init_service(App::new().service(webhooks().wrap(verify))).await;
        let push = TestDelivery::push();
        for path in ["/webhooks/deploy", "/webhooks/archive"] {
            for (secret, status) in [(&secret, 204), (&other, 401)] {
                let request = test_request(&push, secret).uri(path).to_request();
                assert_eq!(call_service(&app, request).await.status(), status, "{path}");
            }
        }
    }
}
