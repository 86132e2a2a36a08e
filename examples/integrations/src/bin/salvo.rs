//! salvo: the tower layer and the handler are one service, and salvo's `compat` makes it a handler.
//!
//! ```sh
//! PIERRE_WEBHOOK_SECRET=whsec_k3yForDocsOnly_2f6c cargo run --manifest-path examples/integrations/Cargo.toml --bin salvo
//! ```

use std::{convert::Infallible, env, error::Error, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Empty;
use pierre_webhook_integrations::{deploy, told_to_end};
use pierre_webhook_tower::{Secret, VerifiedBody, Verifier, VerifyWebhookLayer, Webhook};
use salvo::{
    Listener as _, Router, Server,
    conn::{Acceptor as _, TcpListener},
    http::ReqBody,
    prelude::TowerServiceCompat,
};
use tower::{Layer as _, service_fn};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let secret = Secret::from_env("PIERRE_WEBHOOK_SECRET")?;
    let address = env::var("BIND_ADDRESS").unwrap_or_else(|_| "127.0.0.1:8787".to_owned());
    let told_to_end = told_to_end()?;

    let webhooks = VerifyWebhookLayer::new(Verifier::new(secret)).layer(service_fn(receive));
    let router = Router::with_path("webhooks")
        .post(TowerServiceCompat::<ReqBody, _, _, _>::compat(webhooks));

    let acceptor = TcpListener::new(address).try_bind().await?;
    for holding in acceptor.holdings() {
        println!("listening on {}/webhooks", holding.local_addr);
    }
    let server = Server::new(acceptor);
    let handle = server.handle();
    tokio::spawn(async move {
        told_to_end().await;
        handle.stop_graceful(Duration::from_secs(30));
    });
    server.try_serve(router).await?;
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
