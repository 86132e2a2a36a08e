//! Keeps running and prints what arrives.

use std::{
    error::Error,
    fmt,
    io::{self, Write as _},
    time::Duration,
};

use axum::{
    Router,
    http::{Response, StatusCode},
    routing::post,
};
use pierre_webhook_tower::{
    Rejection, Secret, SecretFromEnvError, Verifier, VerifyWebhookLayer, Webhook,
};
use tokio::net::TcpListener;
use tower::ServiceBuilder;
use tower_http::timeout::TimeoutLayer;

use crate::{describe::describe, shutdown};

pub(crate) async fn run(address: &str) -> Result<(), Box<dyn Error>> {
    let (secret, shown) = secret()?;
    let told_to_end = shutdown::signal()?;

    let layers = ServiceBuilder::new()
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, Duration::from_secs(10)))
        .map_response(print_rejection)
        .layer(VerifyWebhookLayer::new(Verifier::new(secret)));
    let app = Router::new().route("/webhooks", post(receive).route_layer(layers));

    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    let address = listener.local_addr()?;
    print(format_args!(
        "Listening on http://{address}/webhooks until Ctrl-C. To send to it from another terminal:\n\n    \
         PIERRE_WEBHOOK_SECRET={shown} examples/send.sh http://{address}/webhooks\n"
    ));
    axum::serve(listener, app).with_graceful_shutdown(told_to_end).await?;
    Ok(())
}

/// Returns the secret, and how to print it: a given one is hidden, a generated one must be shown.
fn secret() -> Result<(Secret, String), Box<dyn Error>> {
    match Secret::from_env("PIERRE_WEBHOOK_SECRET") {
        Ok(secret) => Ok((secret, "...".to_owned())),
        Err(SecretFromEnvError::Missing { .. }) => {
            let mut random = [0; 16];
            getrandom::fill(&mut random)
                .map_err(|error| format!("cannot get random bytes: {error}"))?;
            let made = format!("whsec_{:032x}", u128::from_ne_bytes(random));
            Ok((Secret::new(&made)?, made))
        }
        // The variable is set but empty. That is a mistake, not a request for a generated secret.
        Err(error) => Err(error.into()),
    }
}

async fn receive(webhook: Webhook) -> StatusCode {
    print(format_args!("204  {}", describe(&webhook.event)));
    StatusCode::NO_CONTENT
}

/// The layer puts the rejection into the response's extensions.
fn print_rejection<B>(response: Response<B>) -> Response<B> {
    if let Some(rejection) = response.extensions().get::<Rejection>() {
        print(format_args!("{}  rejected: {rejection}", rejection.status().as_u16()));
    }
    response
}

/// Unlike `println!`, it doesn't panic if nobody reads the output, since the server should keep responding.
fn print(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{line}");
}
