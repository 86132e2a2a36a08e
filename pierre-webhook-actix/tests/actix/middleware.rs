//! What `VerifyWebhook` alone does. The suite of `pierre-webhook-tests` drives it with the delivery table, like the extractor.

use std::io::Write;

use actix_web::{
    App, FromRequest, HttpMessage, HttpResponse,
    body::MessageBody,
    dev::{Service, ServiceRequest, ServiceResponse},
    http::header::CONTENT_ENCODING,
    middleware::from_fn,
    test::{call_service, init_service, read_body},
    web,
};
use flate2::{Compression, write::GzEncoder};
use pierre_webhook_actix::{Rejection, Secret, Verifier, VerifyWebhook, Webhook, WebhookConfig};
use pierre_webhook_tests::{
    client::Request,
    sample::{BODY, NOW, delivery, secret, tampered, verifier},
};

/// The status and the body of the response.
async fn send<S, B>(app: &S, request: Request) -> (u16, String)
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody,
{
    let request = request.to_actix().set_payload(request.body).to_request();
    let response = call_service(app, request).await;
    let status = response.status().as_u16();
    (status, String::from_utf8(read_body(response).await.to_vec()).unwrap())
}

fn verify() -> VerifyWebhook {
    VerifyWebhook::new(verifier())
}

#[actix_web::test]
async fn no_handler_is_reached_unverified_whatever_it_takes() {
    let scope = web::scope("/webhooks")
        .wrap(verify())
        .route("/nothing", web::post().to(async || "nothing"))
        .route("/text", web::post().to(async |body: String| body))
        .route("/bytes", web::post().to(async |body: web::Bytes| body))
        .route("/webhook", web::post().to(async |webhook: Webhook| webhook.event_type().to_owned()))
        .route(
            "/both",
            web::post().to(async |webhook: Webhook, body: web::Bytes| {
                assert_eq!(webhook.body, body);
                "both"
            }),
        )
        .route(
            "/optional",
            web::post()
                .to(async |webhook: Option<Webhook>| webhook.map(|of| of.signed_at.to_string())),
        )
        .route(
            "/stream",
            web::post().to(async |body: web::Payload| body.to_bytes().await.unwrap()),
        );
    let app = init_service(App::new().service(scope)).await;
    let signed_at = NOW.to_string();
    for (path, answer) in [
        ("/webhooks/nothing", "nothing"),
        ("/webhooks/text", BODY),
        ("/webhooks/bytes", BODY),
        ("/webhooks/webhook", "ping"),
        ("/webhooks/both", "both"),
        ("/webhooks/optional", &signed_at),
        ("/webhooks/stream", BODY),
    ] {
        assert_eq!(send(&app, delivery().path(path)).await, (200, answer.to_owned()), "{path}");
        assert_eq!(send(&app, tampered().path(path)).await.0, 401, "{path}");
    }
}

#[actix_web::test]
async fn a_request_is_verified_before_it_is_routed() {
    let scope = web::scope("/webhooks")
        .wrap(verify())
        .service(web::resource("/known").route(web::post().to(async || "")));
    let app = init_service(App::new().service(scope)).await;
    assert_eq!(send(&app, tampered().path("/webhooks/unknown")).await.0, 401);
    assert_eq!(send(&app, delivery().path("/webhooks/unknown")).await.0, 404);
    assert_eq!(send(&app, tampered().path("/elsewhere")).await.0, 404);
}

/// The README warns of these two.
#[actix_web::test]
async fn what_is_outside_of_the_middleware_sees_unverified_requests() {
    let scope = web::scope("/webhooks").wrap(verify()).wrap(from_fn(
        async |request: ServiceRequest, next: actix_web::middleware::Next<_>| {
            if request.headers().contains_key("x-answer-here") {
                return Ok(request.into_response("wrapped after it").map_into_boxed_body());
            }
            next.call(request).await.map(ServiceResponse::map_into_boxed_body)
        },
    ));
    let app = App::new()
        .route("/webhooks/first", web::post().to(async || "registered before it"))
        .service(scope)
        .route("/webhooks/later", web::post().to(async || "registered after it"));
    let app = init_service(app).await;
    let first = send(&app, tampered().path("/webhooks/first")).await;
    assert_eq!(first, (200, "registered before it".to_owned()));
    let outer = send(&app, tampered().header("x-answer-here", "")).await;
    assert_eq!(outer, (200, "wrapped after it".to_owned()));
    assert_eq!(send(&app, tampered().path("/webhooks/later")).await.0, 401);
}

#[actix_web::test]
async fn the_delivery_of_the_middleware_wins_over_a_config() {
    let other = Verifier::new(Secret::new("another secret").unwrap());
    let scope = web::scope("/webhooks")
        .wrap(VerifyWebhook::new(verifier().tenant("acme")))
        .app_data(WebhookConfig::new(other))
        .route(
            "",
            web::post().to(async |webhook: Webhook| {
                webhook.tenant.as_deref().unwrap_or_default().to_owned()
            }),
        );
    let app = init_service(App::new().service(scope)).await;
    assert_eq!(send(&app, delivery()).await, (200, "acme".to_owned()));
}

#[actix_web::test]
async fn extractors_do_not_decompress_what_was_verified() {
    let mut compressed = GzEncoder::new(Vec::new(), Compression::fast());
    compressed.write_all(br#"{"forged":true}"#).unwrap();
    let compressed = compressed.finish().unwrap();
    let app = App::new().service(
        web::scope("/webhooks").wrap(verify()).route("", web::post().to(async |body: String| body)),
    );
    let app = init_service(app).await;
    // The header isn't signed. What is read must be the bytes that are.
    let request = delivery().header(CONTENT_ENCODING.as_str(), "gzip");
    assert_eq!(send(&app, request).await, (200, BODY.to_owned()));
    let signature = secret().sign(NOW, &compressed);
    let request = Request::delivery("ping", &signature, compressed);
    assert_eq!(send(&app, request.header(CONTENT_ENCODING.as_str(), "gzip")).await.0, 400);
}

#[actix_web::test]
async fn a_body_that_another_middleware_took_is_a_500_that_says_so() {
    let take = async |mut request: ServiceRequest, next: actix_web::middleware::Next<_>| {
        let mut payload = request.take_payload();
        web::Bytes::from_request(request.request(), &mut payload).await?;
        next.call(request).await
    };
    let scope = web::scope("/webhooks")
        .wrap(verify())
        .wrap(from_fn(take))
        .route("", web::post().to(async || ""));
    let app = init_service(App::new().service(scope)).await;
    let request = delivery().header("content-length", BODY.len().to_string());
    let (status, body) = send(&app, request).await;
    let problem: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, problem["code"].as_str()), (500, Some("webhook_body_taken")));
    let text = "Webhook body was taken by another middleware: wrap VerifyWebhook outside of it";
    assert_eq!(problem["detail"], text);
}

#[actix_web::test]
async fn a_rejection_is_in_the_extensions_of_default_and_custom_responses() {
    let custom = |rejection: Rejection, _: &_| {
        let response = HttpResponse::Gone().body(rejection.to_string());
        actix_web::error::InternalError::from_response("", response).into()
    };
    for (verify, status) in [(verify(), 401), (verify().error_handler(custom), 410)] {
        let scope = web::scope("/webhooks").wrap(verify).route("", web::post().to(async || ""));
        let app = init_service(App::new().service(scope)).await;
        let request = tampered().to_actix().set_payload(tampered().body).to_request();
        let response = call_service(&app, request).await;
        assert_eq!(response.status().as_u16(), status);
        let seen = response.response().extensions().get::<Rejection>().map(Rejection::to_string);
        assert_eq!(seen.as_deref(), Some("Invalid signature"));
        assert!(response.request().extensions().get::<Webhook>().is_none());
    }
}
