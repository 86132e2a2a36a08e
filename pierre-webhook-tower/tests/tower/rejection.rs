//! The responses to rejected requests and to a missing layer.

use std::error::Error as _;

use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::post,
};
use pierre_webhook_core::Error;
use pierre_webhook_tests::{
    client::exchange,
    sample::{delivery, tampered, verifier},
    server::Server,
};
use pierre_webhook_tower::{Rejection, VerifyWebhookLayer, Webhook};

#[test]
fn an_axum_handler_without_the_layer_answers_500() {
    async fn handler(_: Webhook) {}
    let server = Server::axum(Router::new().route("/webhooks", post(handler)));
    let response = exchange(server.address, &delivery().with_content_length());
    response.assert_problem(500, "Webhook is not verified: add VerifyWebhookLayer to this route");
}

/// A header into which the rejection is copied from the response's extensions, as a layer outside would log it.
const SEEN: &str = "x-seen";

fn axum_seeing(router: Router) -> Server {
    let seen = async |mut response: Response| {
        let seen = response.extensions().get().map(|rejection: &Rejection| {
            assert!(rejection.source().is_none());
            rejection.to_string()
        });
        if let Some(seen) = seen {
            response.headers_mut().insert(SEEN, seen.parse().expect("a value"));
        }
        response
    };
    Server::axum(router.layer(axum::middleware::map_response(seen)))
}

#[test]
fn an_axum_rejection_is_in_the_extensions_of_default_and_custom_responses() {
    async fn handler(_: Webhook) {}
    let own = |rejection: Rejection| -> Response {
        assert_eq!(*rejection.error(), Error::InvalidSignature);
        (http::StatusCode::GONE, "my own").into_response()
    };
    let route = |path| Router::new().route(path, post(handler));
    let layer = VerifyWebhookLayer::new(verifier());
    let server = axum_seeing(
        route("/webhooks")
            .layer(layer.clone())
            .merge(route("/own").layer(layer.clone().with_rejection_response(own)))
            .merge(route("/into").layer(
                layer.with_rejection_response(|rejection: Rejection| rejection.into_response()),
            )),
    );
    let default = exchange(server.address, &tampered().with_content_length());
    default.assert_problem(401, "Invalid signature");
    assert_eq!(default.header(SEEN), Some("Invalid signature"));
    let into = exchange(server.address, &tampered().path("/into").with_content_length());
    into.assert_problem(401, "Invalid signature");
    assert_eq!(into.header("www-authenticate"), Some("X-Pierre-Signature"));
    let own = exchange(server.address, &tampered().path("/own").with_content_length());
    assert_eq!((own.status, &*own.body), (410, &b"my own"[..]));
    assert_eq!(own.header(SEEN), Some("Invalid signature"));
    let good = exchange(server.address, &delivery().with_content_length());
    assert_eq!((good.status, good.header(SEEN)), (200, None));
}

#[test]
fn a_response_made_from_a_rejection_has_it_in_its_extensions() {
    let rejection = Rejection::from(Error::InvalidSignature);
    let response = rejection.into_response();
    let seen = response.extensions().get().map(Rejection::error);
    assert_eq!(seen, Some(&Error::InvalidSignature));
}
