//! The receiver in axum, tower and actix.

use std::convert::Infallible;

use actix_web::{App, body::to_bytes, test, web};
use axum::{Router, body::Body, routing::post};
use http::{Request, Response};
use http_body_util::BodyExt;
use pierre_webhook_actix::WebhookConfig;
use pierre_webhook_core::{DeliveryId, EVENT_HEADER, SIGNATURE_HEADER, Secret, Verifier};
use pierre_webhook_inbox::{Inbox, State};
use pierre_webhook_tower::VerifyWebhookLayer;
use tower::{Service, ServiceBuilder, ServiceExt};

use crate::database::Folder;

const SECRET: &str = "a secret of the tests";

fn verifier() -> Verifier {
    Verifier::new(Secret::new(SECRET).unwrap()).any_age()
}

fn headers(body: &str) -> [(&'static str, String); 2] {
    let signature = Secret::new(SECRET).unwrap().sign(1, body.as_bytes());
    [(SIGNATURE_HEADER, signature), (EVENT_HEADER, "ping".to_owned())]
}

fn request(body: &'static str) -> Request<Body> {
    let mut request = Request::post("/webhooks");
    for (name, value) in headers(body) {
        request = request.header(name, value);
    }
    request.body(body.into()).unwrap()
}

/// The status, `Retry-After`, the content type and the body.
type Answer = (u16, Option<String>, Option<String>, String);

async fn send<S, B>(mut service: S, body: &'static str) -> Answer
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
    B: http_body::Body<Error: std::fmt::Debug>,
{
    let response = service.ready().await.unwrap().call(request(body)).await.unwrap();
    let header = |name| {
        let value = response.headers().get(name)?;
        Some(value.to_str().unwrap().to_owned())
    };
    let (retry_after, content_type) = (header("retry-after"), header("content-type"));
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, retry_after, content_type, String::from_utf8(body.to_vec()).unwrap())
}

fn stored() -> Answer {
    (200, None, None, String::new())
}

fn problem(status: u16, title: &str, detail: &str, code: &str) -> Answer {
    let body = format!(
        r#"{{"type":"about:blank","title":"{title}","status":{status},"detail":"{detail}","code":"{code}"}}"#
    );
    let retry_after = (status == 503).then(|| "5".to_owned());
    (status, retry_after, Some("application/problem+json".to_owned()), body)
}

fn full() -> Answer {
    problem(503, "Service Unavailable", "Webhook inbox is not available", "inbox_full")
}

async fn is_stored(inbox: &Inbox, body: &str) -> bool {
    let found = inbox.find(DeliveryId::of("ping", body.as_bytes())).await.unwrap();
    found.iter().any(|(entry, _)| entry.state == State::Ready)
}

#[tokio::test]
async fn axum_answers_200_once_a_delivery_is_stored_and_503_if_it_cannot_be() {
    let folder = Folder::new();
    let inbox = Inbox::sqlite(folder.file()).await.unwrap().max_waiting(1);
    let route = post(inbox.receiver()).route_layer(VerifyWebhookLayer::new(verifier()));
    let app = Router::new().route("/webhooks", route);
    assert_eq!(send(app.clone(), "1").await, stored());
    assert!(is_stored(&inbox, "1").await);
    assert_eq!(send(app.clone(), "2").await, full());
    assert!(!is_stored(&inbox, "2").await);
}

#[tokio::test]
async fn tower_answers_like_axum() {
    let folder = Folder::new();
    let inbox = Inbox::sqlite(folder.file()).await.unwrap().max_waiting(1);
    let verify = VerifyWebhookLayer::new(verifier());
    let service = ServiceBuilder::new().layer(verify).service(inbox.receiver());
    assert_eq!(send(service.clone(), "1").await, stored());
    assert!(is_stored(&inbox, "1").await);
    assert_eq!(send(service, "2").await, full());
}

#[tokio::test]
async fn a_repeated_delivery_is_answered_with_200() {
    let folder = Folder::new();
    let inbox = Inbox::sqlite(folder.file()).await.unwrap();
    let verify = VerifyWebhookLayer::new(verifier());
    let service = ServiceBuilder::new().layer(verify).service(inbox.receiver());
    assert_eq!(send(service.clone(), "1").await, stored());
    assert_eq!(send(service, "1").await, stored());
    assert_eq!(inbox.stats().await.unwrap().ready, 1);
}

#[tokio::test]
async fn nothing_is_stored_without_the_layer() {
    let folder = Folder::new();
    let inbox = Inbox::sqlite(folder.file()).await.unwrap();
    let expected = problem(
        500,
        "Internal Server Error",
        "Webhook is not verified: add VerifyWebhookLayer outside of the inbox's receiver",
        "webhook_not_verified",
    );
    assert_eq!(send(inbox.receiver(), "1").await, expected);
    let app: Router = Router::new().route("/webhooks", post(inbox.receiver()));
    assert_eq!(send(app, "1").await, expected);
    assert!(!is_stored(&inbox, "1").await);
}

#[actix_web::test]
async fn actix_answers_like_axum() {
    let folder = Folder::new();
    let inbox = Inbox::sqlite(folder.file()).await.unwrap().max_waiting(1);
    let route = web::post().to(inbox.receiver());
    let app = App::new().app_data(WebhookConfig::new(verifier())).route("/webhooks", route);
    let app = test::init_service(app).await;
    for (body, expected) in [("1", stored()), ("2", full())] {
        let mut request = test::TestRequest::post().uri("/webhooks").set_payload(body);
        for header in headers(body) {
            request = request.insert_header(header);
        }
        let response = test::call_service(&app, request.to_request()).await;
        let header = |name| {
            let value = response.headers().get(name)?;
            Some(value.to_str().unwrap().to_owned())
        };
        let (retry_after, content_type) = (header("retry-after"), header("content-type"));
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body()).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert_eq!((status, retry_after, content_type, body), expected);
    }
    assert!(is_stored(&inbox, "1").await);
    assert!(!is_stored(&inbox, "2").await);
}

#[actix_web::test]
async fn in_actix_nothing_is_stored_without_the_config() {
    let folder = Folder::new();
    let inbox = Inbox::sqlite(folder.file()).await.unwrap();
    let app = App::new().route("/webhooks", web::post().to(inbox.receiver()));
    let app = test::init_service(app).await;
    let mut request = test::TestRequest::post().uri("/webhooks").set_payload("1");
    for header in headers("1") {
        request = request.insert_header(header);
    }
    let response = test::call_service(&app, request.to_request()).await;
    assert_eq!(response.status(), 500);
    assert!(!is_stored(&inbox, "1").await);
}
