//! The responses to rejected requests and to mistakes in the configuration.

use std::{error::Error as _, time::Duration};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse, ResponseError,
    dev::{Payload, Service as _, ServiceResponse},
    error::{InternalError, PayloadError},
    http::header::{HeaderName, HeaderValue},
    web,
};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use pierre_webhook_actix::{Rejection, Webhook, WebhookConfig};
use pierre_webhook_core::{Error, Verifier};
use pierre_webhook_tests::{
    client::{Request, exchange},
    http2::Http2,
    sample::{delivery, tampered, verifier},
    scripted::{Scripted, Step},
    server::{Actix, Server},
};

use crate::payload::{payload, silent};

#[test]
fn an_actix_handler_without_the_config_answers_500() {
    async fn handler(_: Webhook) -> HttpResponse {
        HttpResponse::Ok().finish()
    }
    let server = Server::actix(|app| {
        app.route("/webhooks", web::post().to(handler));
    });
    let response = exchange(server.address, &delivery().with_content_length());
    response.assert_problem(500, "Webhook is not configured: add WebhookConfig to app_data");
}

#[test]
fn an_actix_handler_that_takes_the_body_before_the_webhook_answers_500() {
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
        exchange(server.address, &bytes)
            .assert_problem(500, "Webhook body was taken by another extractor: take Webhook first");
    }
    let empty = Request { body: Vec::new(), ..delivery() }.path("/body-first");
    exchange(server.address, &empty.with_content_length()).assert_problem(401, "Invalid signature");
    let first = delivery().path("/webhook-first");
    assert_eq!(exchange(server.address, &first.with_content_length()).body, b"15 0");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_actix_handler_over_http2_that_takes_any_body_before_the_webhook_answers_500() {
    async fn body_first(_: web::Payload, _: Webhook) -> &'static str {
        "handled"
    }
    let config = WebhookConfig::new(verifier());
    let settings = Actix { speaks_http2: true, ..Actix::default() };
    let server = Server::actix_as(settings, move |app| {
        app.app_data(config.clone()).route("/webhooks", web::post().to(body_first));
    });
    let client = Http2::open(server.address).await;
    // Neither declares a length, so an empty body is recognized only when it ends.
    for request in [delivery(), Request { body: Vec::new(), ..delivery() }] {
        let response = client.exchange(&request).await.expect("an answer");
        response
            .assert_problem(500, "Webhook body was taken by another extractor: take Webhook first");
    }
}

#[test]
fn actix_takes_the_innermost_config_and_a_plain_one_first() {
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
    // A plain config of an outer scope is found before the `Data` of an inner one.
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

/// A header into which the rejection is copied from the response's extensions, as a layer outside would log it.
const SEEN: &str = "x-seen";

#[test]
fn an_actix_rejection_is_in_the_extensions_of_default_and_custom_responses() {
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
    default.assert_problem(401, "Invalid signature");
    assert_eq!(default.header(SEEN), Some("Invalid signature"));
    let own = exchange(server.address, &tampered().path("/own").with_content_length());
    assert_eq!((own.status, &*own.body), (410, &b"my own for /own"[..]));
    assert_eq!(own.header(SEEN), Some("Invalid signature"));
    let good = exchange(server.address, &delivery().with_content_length());
    assert_eq!((good.status, good.header(SEEN)), (200, None));
}

fn see(mut response: ServiceResponse) -> ServiceResponse {
    let seen = response.response().extensions().get().map(|rejection| {
        let rejection: &Rejection = rejection;
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
fn a_response_made_from_a_rejection_has_it_in_its_extensions() {
    let rejection = Rejection::from(Error::InvalidSignature);
    let response = rejection.error_response();
    let extensions = response.extensions();
    let seen = extensions.get().map(Rejection::error);
    assert_eq!(seen, Some(&Error::InvalidSignature));
}

#[actix_web::test]
async fn the_cause_of_an_actix_rejection_is_its_source() {
    let extract = async |config: WebhookConfig, mut payload: Payload| {
        let config = config.error_handler(|rejection: Rejection, _| {
            let source = rejection.source().map(ToString::to_string);
            InternalError::new(format!("{rejection}: {source:?}"), rejection.status()).into()
        });
        let request = delivery().to_actix().app_data(config).to_http_request();
        let webhook = Webhook::from_request(&request, &mut payload);
        webhook.await.expect_err("a rejection").to_string()
    };
    let fails = |error: fn() -> PayloadError| {
        let steps = [Step::Fails("for this reason".into())];
        payload(Scripted::<Bytes>::new(steps).map_err(move |_| error()))
    };
    let finder = |_: &HttpRequest| async { Err::<Option<Verifier>, _>("no database") };
    let config = WebhookConfig::new(verifier());
    let answers = [
        extract(WebhookConfig::new(finder), silent()).await,
        extract(config.clone().timeout(Duration::ZERO), silent()).await,
        extract(config.clone(), fails(|| PayloadError::UnknownLength)).await,
        extract(config.clone(), fails(|| PayloadError::Overflow)).await,
        extract(config, payload(Empty::new().map_err(|never| match never {}))).await,
    ];
    assert_eq!(
        answers,
        [
            "Webhook verifier is not available: Some(\"no database\")".to_owned(),
            "Webhook body could not be read: Some(\"the body took too long\")".to_owned(),
            format!(
                "Webhook body could not be read: {:?}",
                Some(PayloadError::UnknownLength.to_string())
            ),
            format!(
                "Webhook body larger than the server allows: {:?}",
                Some(PayloadError::Overflow.to_string())
            ),
            "Invalid signature: None".to_owned(),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_body_in_actix_has_30_seconds_unless_the_config_says_otherwise() {
    let request = delivery().to_actix().app_data(WebhookConfig::new(verifier())).to_http_request();
    let mut payload = silent();
    let start = tokio::time::Instant::now();
    let error = Webhook::from_request(&request, &mut payload).await.unwrap_err();
    assert_eq!(error.to_string(), "Webhook body could not be read");
    assert_eq!(start.elapsed().as_secs(), 30);
}

#[test]
fn an_actix_handler_that_takes_a_result_sees_only_what_the_sender_is_told() {
    async fn handler(webhook: Result<Webhook, actix_web::Error>) -> String {
        match webhook {
            Ok(webhook) => webhook.event_type().to_owned(),
            Err(error) => {
                format!("{} {error}", error.as_response_error().status_code().as_u16())
            }
        }
    }
    let default = WebhookConfig::new(verifier());
    let own = default.clone().error_handler(|_: Rejection, _| {
        InternalError::new("my own", actix_web::http::StatusCode::GONE).into()
    });
    let server = Server::actix(move |app| {
        for (path, config) in [("/webhooks", &default), ("/own", &own)] {
            let resource = web::resource(path).app_data(config.clone());
            app.service(resource.route(web::post().to(handler)));
        }
        app.route("/bare", web::post().to(handler));
    });
    for (path, text) in [
        ("/webhooks", "401 Invalid signature"),
        ("/own", "410 my own"),
        ("/bare", "500 Webhook is not configured: add WebhookConfig to app_data"),
    ] {
        let response = exchange(server.address, &tampered().path(path).with_content_length());
        assert_eq!((response.status, String::from_utf8_lossy(&response.body)), (200, text.into()));
    }
    assert_eq!(exchange(server.address, &delivery().with_content_length()).body, b"ping");
}
