//! Bare hyper, without a framework: the tower layer around a function that takes the request.
//!
//! ```sh
//! PIERRE_WEBHOOK_SECRET=whsec_k3yForDocsOnly_2f6c cargo run --bin example-hyper
//! PIERRE_WEBHOOK_SECRET=whsec_k3yForDocsOnly_2f6c examples/send.sh
//! ```
//!
//! It listens on `BIND_ADDRESS` (default: 127.0.0.1:8787).

mod shutdown;

use std::{convert::Infallible, env, error::Error, pin::pin, process::ExitCode, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Empty;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use pierre_webhook_tower::{Secret, VerifiedBody, Verifier, VerifyWebhookLayer, Webhook};
use tokio::{
    net::TcpListener,
    time::{sleep, timeout},
};
use tower::ServiceBuilder;
use tower_http::timeout::{RequestBodyTimeoutLayer, TimeoutLayer};
use tracing::{debug, info, warn};

const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
const BODY_PAUSE: Duration = Duration::from_secs(5);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
const GRACE: Duration = Duration::from_secs(30);

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
    let mut told_to_end = pin!(shutdown::signal()?);

    let service = ServiceBuilder::new()
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIMEOUT))
        .layer(RequestBodyTimeoutLayer::new(BODY_PAUSE))
        .layer(VerifyWebhookLayer::new(Verifier::new(secret)))
        .service_fn(receive);
    let mut connections = http1::Builder::new();
    connections.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);

    let listener = TcpListener::bind(&address)
        .await
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    info!("listening on http://{}/webhooks", listener.local_addr()?);

    let graceful = GracefulShutdown::new();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // For example, no file descriptor is free. Pause, because the next attempt would fail at once too.
                    warn!("could not accept a connection: {error}");
                    sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = &mut told_to_end => break,
        };
        let service = TowerToHyperService::new(service.clone());
        let connection = connections.serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                debug!("a connection failed: {error}");
            }
        });
    }
    drop(listener);
    if timeout(GRACE, graceful.shutdown()).await.is_err() {
        warn!("some connections did not finish in time");
    }
    info!("ended");
    Ok(())
}

/// Runs only for verified deliveries, whatever their path and method: the layer wraps everything.
async fn receive(request: Request<VerifiedBody>) -> Result<Response<Empty<Bytes>>, Infallible> {
    let mut response = Response::new(Empty::new());
    *response.status_mut() = match request.extensions().get::<Webhook>() {
        Some(webhook)
            if *request.method() == Method::POST && request.uri().path() == "/webhooks" =>
        {
            info!(event_type = webhook.event_type(), bytes = webhook.body.len(), "received");
            StatusCode::NO_CONTENT
        }
        Some(_) => StatusCode::NOT_FOUND,
        None => StatusCode::INTERNAL_SERVER_ERROR, // The layer is missing.
    };
    Ok(response)
}
