//! What is logged about a rejection, and what is counted.

use std::{fmt::Write, sync::Mutex};

use actix_web::{App, HttpRequest, web};
use pierre_webhook_actix::{VerifyWebhook, Webhook, WebhookConfig};
use pierre_webhook_tests::{
    counted::Counted,
    log::Log,
    rejections::{expected_counts, expected_log, requests, secrets, unavailable},
    sample::{BODY, delivery, verifier},
    secrecy::assert_prints_none,
};

#[actix_web::test]
async fn the_extractor_logs_each_rejection_and_counts_each_request_once() {
    let log = Log::default();
    let guard = log.subscribe();
    let counted = Counted::new();
    let handler = || web::post().to(async |_: Webhook| "");
    let app = App::new()
        .service(
            web::resource("/webhooks").app_data(WebhookConfig::new(verifier())).route(handler()),
        )
        .service(
            web::resource("/unavailable")
                .app_data(WebhookConfig::new(|_: &HttpRequest| unavailable()))
                .route(handler()),
        )
        .service(
            web::resource("/acme")
                .app_data(WebhookConfig::new(verifier().tenant("acme")))
                .route(handler()),
        )
        .service(
            web::resource("/taken")
                .app_data(WebhookConfig::new(verifier()))
                .route(web::post().to(async |_: web::Payload, _: Webhook| "")),
        )
        .route("/bare", handler());
    let app = actix_web::test::init_service(app).await;
    let taken = delivery().path("/taken").header("content-length", BODY.len().to_string());
    for of in requests().into_iter().chain([delivery().path("/bare"), taken]) {
        let request = of.to_actix().set_payload(of.body);
        actix_web::test::call_service(&app, request.to_request()).await;
    }
    drop(guard);
    assert_eq!(counted.lines(), expected_counts());
    let mut expected = expected_log("pierre_webhook_actix");
    for (code, mistake) in [
        ("webhook_not_configured", "Webhook is not configured: add WebhookConfig to app_data"),
        ("webhook_body_taken", "Webhook body was taken by another extractor: take Webhook first"),
    ] {
        expected.push(format!(
            "ERROR pierre_webhook_actix status=500 code={code:?} reason={mistake} event_type=\"ping\""
        ));
    }
    assert_eq!(log.lines(&secrets()), expected);
}

#[actix_web::test]
async fn the_middleware_logs_each_rejection_and_counts_each_request_once() {
    let log = Log::default();
    let guard = log.subscribe();
    let counted = Counted::new();
    let scope = |path, verify: VerifyWebhook| {
        web::scope(path).wrap(verify).route("", web::post().to(async || ""))
    };
    let app = App::new()
        .service(scope("/webhooks", VerifyWebhook::new(verifier())))
        .service(scope("/unavailable", VerifyWebhook::new(|_: &HttpRequest| unavailable())))
        .service(scope("/acme", VerifyWebhook::new(verifier().tenant("acme"))));
    let app = actix_web::test::init_service(app).await;
    for of in requests() {
        let request = of.to_actix().set_payload(of.body);
        actix_web::test::call_service(&app, request.to_request()).await;
    }
    drop(guard);
    assert_eq!(counted.lines(), expected_counts());
    assert_eq!(log.lines(&secrets()), expected_log("pierre_webhook_actix"));
}

/// Collects what is logged with the `log` crate, at every level.
#[derive(Default)]
struct LogRecords(Mutex<String>);

impl log::Log for LogRecords {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        writeln!(self.0.lock().unwrap(), "{} {}", record.target(), record.args()).unwrap();
    }

    fn flush(&self) {}
}

#[actix_web::test]
async fn the_logger_of_actix_prints_no_cause_of_a_failed_look_up() {
    let records: &LogRecords = Box::leak(Box::default());
    log::set_logger(records).expect("no other test sets one");
    log::set_max_level(log::LevelFilter::Trace);
    let config = WebhookConfig::new(|_: &HttpRequest| unavailable());
    let app = App::new()
        .wrap(actix_web::middleware::Logger::default())
        .app_data(config)
        .route("/unavailable", web::post().to(async |_: Webhook| ""));
    let app = actix_web::test::init_service(app).await;
    let request = delivery().path("/unavailable").to_actix();
    let response = actix_web::test::call_service(&app, request.to_request()).await;
    assert_eq!(response.status(), 503);
    drop(response);
    let printed = records.0.lock().unwrap().clone();
    assert!(printed.contains("Error in response: Rejection"), "{printed}");
    assert_prints_none(&printed, &secrets());
}
