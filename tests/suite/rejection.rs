//! How refusals and mistakes in the wiring are answered.

use std::error::Error as _;

use actix_web::{
    HttpResponse,
    dev::{Service as _, ServiceResponse},
    error::InternalError,
    http::header::{HeaderName, HeaderValue},
    web,
};
use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::post,
};
use pierre_webhook_core::Error;
use pierre_webhook_tests::{
    client::{self, Request, exchange},
    sample::{delivery, tampered, verifier},
    server::{Server, both},
};

const PROBLEM: Option<&str> = Some("application/problem+json");

fn assert_problem(response: &client::Response, status: u16, text: &str) {
    assert_eq!((response.status, &*response.detail()), (status, text));
    assert_eq!(response.header("content-type"), PROBLEM);
    assert_eq!(response.json()["status"], status);
}

#[test]
fn an_axum_handler_without_the_layer_answers_500() {
    async fn handler(_: pierre_webhook_tower::Webhook) {}
    let server = Server::axum(Router::new().route("/webhooks", post(handler)));
    let response = exchange(server.address, &delivery().with_content_length());
    assert_problem(&response, 500, "Webhook is not verified: add VerifyWebhookLayer to this route");
}

#[test]
fn an_actix_handler_without_the_config_answers_500() {
    async fn handler(_: pierre_webhook_actix::Webhook) -> HttpResponse {
        HttpResponse::Ok().finish()
    }
    let server = Server::actix(|app| {
        app.route("/webhooks", web::post().to(handler));
    });
    let response = exchange(server.address, &delivery().with_content_length());
    assert_problem(&response, 500, "Webhook is not configured: add WebhookConfig to app_data");
}

#[test]
fn an_actix_handler_that_takes_the_body_before_the_webhook_answers_500() {
    use pierre_webhook_actix::{Webhook, WebhookConfig};

    async fn body_first(_: web::Payload, _: Webhook) -> &'static str {
        "handled"
    }
    async fn webhook_first(webhook: Webhook, body: web::Payload) -> String {
        let rest = body.to_bytes().await.expect("no body");
        format!("{} {}", webhook.body.len(), rest.len())
    }
    let config = WebhookConfig::new(verifier());
    let server = Server::actix(move |app| {
        app.app_data(config.clone())
            .route("/body-first", web::post().to(body_first))
            .route("/webhook-first", web::post().to(webhook_first));
    });
    for bytes in [
        delivery().path("/body-first").with_content_length(),
        delivery().path("/body-first").chunked(7),
    ] {
        assert_problem(
            &exchange(server.address, &bytes),
            500,
            "Webhook body was taken by another extractor: take Webhook first",
        );
    }
    let empty = Request { body: Vec::new(), ..delivery() }.path("/body-first");
    assert_problem(
        &exchange(server.address, &empty.with_content_length()),
        401,
        "Invalid signature",
    );
    let first = delivery().path("/webhook-first");
    assert_eq!(exchange(server.address, &first.with_content_length()).body, b"15 0");
}

#[test]
fn actix_takes_the_innermost_config_the_plain_one_first() {
    use pierre_webhook_actix::{Rejection, Webhook, WebhookConfig};

    let named = |name: &'static str| {
        WebhookConfig::new(verifier()).error_handler(move |_: Rejection, _| {
            InternalError::from_response(name, HttpResponse::Gone().body(name)).into()
        })
    };
    async fn handler(_: Webhook) -> &'static str {
        "handled"
    }
    let (outer, inner, data) = (named("outer"), named("inner"), named("data"));
    let server = Server::actix(move |app| {
        app.app_data(outer.clone())
            .service(
                web::scope("/inner")
                    .app_data(inner.clone())
                    .app_data(web::Data::new(data.clone()))
                    .route("/", web::post().to(handler)),
            )
            .service(
                web::scope("/data")
                    .app_data(web::Data::new(data.clone()))
                    .route("/", web::post().to(handler)),
            )
            .route("/outer", web::post().to(handler));
    });
    // The plain one of an outer scope is found before the `Data` of an inner one.
    for (path, name) in [("/outer", "outer"), ("/inner/", "inner"), ("/data/", "outer")] {
        let response = exchange(server.address, &tampered().path(path).with_content_length());
        assert_eq!((response.status, response.body), (410, name.into()), "{path}");
    }
    let data = named("data");
    let server = Server::actix(move |app| {
        app.app_data(web::Data::new(data.clone())).route("/webhooks", web::post().to(handler));
    });
    let response = exchange(server.address, &tampered().with_content_length());
    assert_eq!((response.status, response.body), (410, "data".into()));
}

/// Copies what is in the extensions of a response into a header, as a layer outside would log it.
const SEEN: &str = "x-seen";

fn axum_seeing(router: Router) -> Server {
    let seen = async |mut response: Response| {
        let seen =
            response.extensions().get().map(|rejection: &pierre_webhook_tower::Rejection| {
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
fn an_axum_rejection_is_in_the_extensions_of_either_response() {
    use pierre_webhook_tower::{Rejection, VerifyWebhookLayer, Webhook};

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
    assert_problem(&default, 401, "Invalid signature");
    assert_eq!(default.header(SEEN), Some("Invalid signature"));
    let into = exchange(server.address, &tampered().path("/into").with_content_length());
    assert_problem(&into, 401, "Invalid signature");
    assert_eq!(into.header("www-authenticate"), Some("X-Pierre-Signature"));
    let own = exchange(server.address, &tampered().path("/own").with_content_length());
    assert_eq!((own.status, &*own.body), (410, &b"my own"[..]));
    assert_eq!(own.header(SEEN), Some("Invalid signature"));
    let good = exchange(server.address, &delivery().with_content_length());
    assert_eq!((good.status, good.header(SEEN)), (200, None));
}

#[test]
fn an_actix_rejection_is_in_the_extensions_of_either_response() {
    use pierre_webhook_actix::{Rejection, Webhook, WebhookConfig};

    async fn handler(_: Webhook) -> HttpResponse {
        HttpResponse::Ok().finish()
    }
    let default = WebhookConfig::new(verifier());
    let own = default.clone().error_handler(|rejection: Rejection, request| {
        assert_eq!(*rejection.error(), Error::InvalidSignature);
        let text = format!("my own for {}", request.path());
        InternalError::from_response(rejection, HttpResponse::Gone().body(text)).into()
    });
    let server = Server::actix(move |app| {
        let scope = |path, config: &WebhookConfig| {
            web::scope(path)
                .app_data(config.clone())
                .wrap_fn(|request, service| {
                    let response = service.call(request);
                    async move { response.await.map(see) }
                })
                .route("", web::post().to(handler))
        };
        app.service(scope("/webhooks", &default)).service(scope("/own", &own));
    });
    let default = exchange(server.address, &tampered().with_content_length());
    assert_problem(&default, 401, "Invalid signature");
    assert_eq!(default.header(SEEN), Some("Invalid signature"));
    let own = exchange(server.address, &tampered().path("/own").with_content_length());
    assert_eq!((own.status, &*own.body), (410, &b"my own for /own"[..]));
    assert_eq!(own.header(SEEN), Some("Invalid signature"));
    let good = exchange(server.address, &delivery().with_content_length());
    assert_eq!((good.status, good.header(SEEN)), (200, None));
}

fn see(mut response: ServiceResponse) -> ServiceResponse {
    let seen = response.response().extensions().get().map(|rejection| {
        let rejection: &pierre_webhook_actix::Rejection = rejection;
        assert!(rejection.source().is_none());
        rejection.to_string()
    });
    if let Some(seen) = seen {
        response
            .headers_mut()
            .insert(HeaderName::from_static(SEEN), HeaderValue::from_str(&seen).expect("a value"));
    }
    response
}

#[test]
fn no_handler_runs_for_a_refused_request() {
    let (servers, handled) = both(&verifier());
    for server in &servers {
        for request in [tampered(), delivery().without("x-pierre-event"), Request::new("")] {
            let response = exchange(server.address, &request.with_content_length());
            assert!([400, 401].contains(&response.status), "{}: {response:?}", server.name);
        }
        assert_eq!(exchange(server.address, &delivery().with_content_length()).status, 200);
    }
    assert_eq!(handled.count(), 2);
}
