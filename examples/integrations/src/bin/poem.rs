//! poem: the tower layer and the handler are one service, and poem's `compat` makes it an endpoint.
//!
//! ```sh
//! PIERRE_WEBHOOK_SECRET=whsec_k3yForDocsOnly_2f6c cargo run --manifest-path examples/integrations/Cargo.toml --bin poem
//! ```

use std::{convert::Infallible, env, error::Error, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Empty;
use pierre_webhook_integrations::{deploy, told_to_end};
use pierre_webhook_tower::{Secret, VerifiedBody, Verifier, VerifyWebhookLayer, Webhook};
use poem::{
    Route, Server,
    endpoint::TowerCompatExt as _,
    listener::{Acceptor as _, Listener as _, TcpListener},
    post,
};
use tower::{Layer as _, service_fn};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let secret = Secret::from_env("PIERRE_WEBHOOK_SECRET")?;
    let address = env::var("BIND_ADDRESS").unwrap_or_else(|_| "127.0.0.1:8787".to_owned());
    let told_to_end = told_to_end()?;

    let webhooks = VerifyWebhookLayer::new(Verifier::new(secret)).layer(service_fn(receive));
    let app = Route::new().at("/webhooks", post(webhooks.compat()));

    let acceptor = TcpListener::bind(address).into_acceptor().await?;
    for address in acceptor.local_addr() {
        println!("listening on {address}/webhooks");
    }
    let server = Server::new_with_acceptor(acceptor);
    server.run_with_graceful_shutdown(app, told_to_end(), Some(Duration::from_secs(30))).await?;
    Ok(())
}

/// Runs only for verified deliveries.
async fn receive(request: Request<VerifiedBody>) -> Result<Response<Empty<Bytes>>, Infallible> {
    let mut response = Response::new(Empty::new());
    *response.status_mut() = match request.extensions().get::<Webhook>() {
        Some(webhook) => {
            deploy(webhook);
            StatusCode::NO_CONTENT
        }
        None => StatusCode::INTERNAL_SERVER_ERROR, // The layer is missing.
    };
    Ok(response)
}
