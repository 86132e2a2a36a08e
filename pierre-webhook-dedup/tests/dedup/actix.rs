//! `Dedup::once` in an actix handler.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use actix_web::{HttpResponse, Responder, ResponseError, http::StatusCode, web};
use pierre_webhook_actix::{Secret, Verifier, Webhook, WebhookConfig};
use pierre_webhook_dedup::{Dedup, MemoryStore, Once, OnceError, Store};
use pierre_webhook_tests::{
    client::{self, Request},
    server::Server,
};

use crate::faulty::{Fault, Faulty};

const SECRET: &str = "a secret of the tests";

#[derive(Debug)]
struct DeployError;

impl fmt::Display for DeployError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the deploy failed")
    }
}

impl ResponseError for DeployError {
    fn status_code(&self) -> StatusCode {
        StatusCode::BAD_GATEWAY
    }
}

/// A server whose work fails in its first run.
fn server(dedup: Dedup) -> (Server, Arc<AtomicUsize>) {
    let runs = Arc::new(AtomicUsize::new(0));
    let config = WebhookConfig::new(Verifier::new(Secret::new(SECRET).unwrap()));
    let server = Server::actix({
        let runs = Arc::clone(&runs);
        move |app| {
            app.app_data(config.clone())
                .app_data(web::Data::new(dedup.clone()))
                .app_data(web::Data::from(Arc::clone(&runs)))
                .route("/webhooks", web::post().to(deploy));
        }
    });
    (server, runs)
}

async fn deploy(
    webhook: Webhook,
    dedup: web::Data<Dedup>,
    runs: web::Data<AtomicUsize>,
) -> Result<impl Responder, OnceError<DeployError>> {
    let work = async || match runs.fetch_add(1, Ordering::SeqCst) {
        0 => Err(DeployError),
        run => Ok(HttpResponse::Accepted().body(format!("run {run}"))),
    };
    dedup.once(webhook.id(), work).await
}

fn delivery(body: &str) -> Vec<u8> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let signature = Secret::new(SECRET).unwrap().sign(now, body.as_bytes());
    Request::delivery("ping", &signature, body).with_content_length()
}

#[test]
fn an_actix_handler_answers_with_the_outcome_of_once() {
    let (server, runs) = server(Dedup::new(MemoryStore::new()));
    let send = || {
        let response = client::exchange(server.address, &delivery("1"));
        (response.status, String::from_utf8(response.body).unwrap())
    };
    assert_eq!(send(), (502, "the deploy failed".to_owned()));
    assert_eq!(send(), (202, "run 1".to_owned()));
    assert_eq!(send(), (200, String::new()));
    assert_eq!(runs.load(Ordering::SeqCst), 2);
}

#[test]
fn a_store_that_fails_is_a_503_in_actix() {
    let store = Faulty::new();
    store.set_all(Fault::Down);
    let (server, runs) = server(Dedup::new(store));
    let response = client::exchange(server.address, &delivery("1"));
    assert_eq!((response.status, response.header("retry-after")), (503, Some("5")));
    assert_eq!(response.detail(), "Webhook deduplication is not available");
    assert_eq!(runs.load(Ordering::SeqCst), 0);
}

#[actix_web::test]
async fn a_delivery_in_progress_is_a_503_in_actix() {
    let store = MemoryStore::new();
    let key = crate::unique::key();
    store.claim(key, crate::unique::owner(), crate::unique::LONG).await.unwrap();
    let once = Dedup::new(store).once(key.id, async || Ok::<_, DeployError>("done")).await.unwrap();
    assert!(matches!(once, Once::InProgress { .. }), "{once:?}");
    let response = once.respond_to(&actix_web::test::TestRequest::default().to_http_request());
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers().get("retry-after").unwrap(), "5");
    assert_eq!(response.headers().get("content-type").unwrap(), "application/problem+json");
}
