//! What is logged of a refusal, and that nothing secret is in anything that can be printed.

use std::{
    fmt::{Debug, Write},
    sync::{Arc, Mutex},
};

use actix_web::{App, web};
use axum::{Router, body::Body, routing::post};
use pierre_webhook_core::{DeliveryHeaders, EVENT_HEADER, LiveVerifier, SIGNATURE_HEADER, Secret};
use pierre_webhook_tests::{
    client::Request,
    sample::{BODY, NOW, SECRET, delivery, secret, tampered, verifier},
};
use tower::{Layer as _, ServiceExt};
use tracing::{Event, Subscriber, field::Field};
use tracing_subscriber::{
    layer::{Context, Layer, SubscriberExt},
    registry,
};

/// Each event as a line: level, target and fields.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        if !metadata.target().starts_with("pierre") {
            return;
        }
        let mut line = format!("{} {}", metadata.level(), metadata.target());
        event.record(&mut |field: &Field, value: &dyn Debug| {
            if field.name() != "message" {
                write!(line, " {}={value:?}", field.name()).unwrap();
            }
        });
        self.0.lock().unwrap().push(line);
    }
}

fn refusals() -> Vec<Request> {
    let unsigned = |request: Request| request.without(SIGNATURE_HEADER);
    vec![
        delivery(),
        tampered(),
        unsigned(delivery()),
        unsigned(delivery()).without(EVENT_HEADER).header(EVENT_HEADER, "a, b"),
        Request::delivery("push", &secret().sign(NOW, BODY.as_bytes()), BODY),
        Request::delivery("ping", &secret().sign(0, BODY.as_bytes()), BODY),
    ]
}

fn expected(target: &str) -> Vec<String> {
    [
        "WARN TARGET status=401 reason=Invalid signature event_type=\"ping\"",
        "DEBUG TARGET status=400 reason=Missing or invalid X-Pierre-Signature header event_type=\"ping\"",
        "DEBUG TARGET status=400 reason=Missing or invalid X-Pierre-Signature header",
        "DEBUG TARGET status=422 reason=Invalid push payload event_type=\"push\"",
        "WARN TARGET status=401 reason=Webhook timestamp too old (1790000000 seconds) event_type=\"ping\"",
    ]
    .map(|line| line.replace("TARGET", target))
    .to_vec()
}

#[tokio::test]
async fn the_layer_logs_each_refusal_once() {
    use pierre_webhook_tower::{VerifyWebhookLayer, Webhook};

    let log = Log::default();
    let guard = tracing::subscriber::set_default(registry().with(log.clone()));
    let handler = post(async |_: Webhook| "");
    let layered = Router::new()
        .route("/webhooks", handler.clone().layer(VerifyWebhookLayer::new(verifier())))
        .route("/bare", handler);
    for of in refusals().into_iter().chain([delivery().path("/bare")]) {
        let mut request = http::Request::post(of.path);
        for (name, value) in of.headers {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(of.body)).unwrap();
        layered.clone().oneshot(request).await.unwrap();
    }
    drop(guard);
    let mut expected = expected("pierre_webhook_tower");
    expected.push(
        "ERROR pierre_webhook_tower status=500 reason=Webhook is not verified: add \
         VerifyWebhookLayer to this route event_type=\"ping\""
            .into(),
    );
    assert_eq!(*log.0.lock().unwrap(), expected);
}

#[actix_web::test]
async fn the_extractor_logs_each_refusal_once() {
    use pierre_webhook_actix::{Webhook, WebhookConfig};

    let log = Log::default();
    let guard = tracing::subscriber::set_default(registry().with(log.clone()));
    let handler = || web::post().to(async |_: Webhook| "");
    let app = App::new()
        .service(
            web::resource("/webhooks").app_data(WebhookConfig::new(verifier())).route(handler()),
        )
        .route("/bare", handler());
    let app = actix_web::test::init_service(app).await;
    for of in refusals().into_iter().chain([delivery().path("/bare")]) {
        let mut request = actix_web::test::TestRequest::post().uri(of.path).set_payload(of.body);
        for (name, value) in of.headers {
            request = request.append_header((name, value));
        }
        actix_web::test::call_service(&app, request.to_request()).await;
    }
    drop(guard);
    let mut expected = expected("pierre_webhook_actix");
    expected.push(
        "ERROR pierre_webhook_actix status=500 reason=Webhook is not configured: add WebhookConfig \
         to app_data event_type=\"ping\""
            .into(),
    );
    assert_eq!(*log.0.lock().unwrap(), expected);
}

#[test]
fn debug_and_display_print_no_secret_no_signature_and_no_body() {
    const BODY_SECRET: &str = "body-text-of-the-sender";

    let signature = secret().sign(NOW, format!("[\"{BODY_SECRET}\"]").as_bytes());
    let mac = signature.split_once("sha256=").unwrap().1;
    let headers =
        DeliveryHeaders::parse([(SIGNATURE_HEADER, &*signature), (EVENT_HEADER, "ping")]).unwrap();
    let verifier = verifier().or_secret(Secret::new("whsec_previous").unwrap());
    let mut pending = verifier.begin(&headers).unwrap();
    pending.push(format!("[\"{BODY_SECRET}\"]").into()).unwrap();
    let mut printed = format!("{headers:?} {:?} {pending:?}", headers.signature());
    let delivery = pending.finish().unwrap();
    let layer = pierre_webhook_tower::VerifyWebhookLayer::new(verifier.clone());
    let service = layer.layer(());
    let live = LiveVerifier::new(verifier.clone());
    let config = pierre_webhook_actix::WebhookConfig::new(live.clone());
    let refusal = verifier.verify_signature(&signature, BODY.as_bytes()).unwrap_err();
    write!(
        printed,
        "{delivery:?} {:?} {:?} {:?} {layer:?} {service:?} {live:?} {config:?} {verifier:?} {:?} \
         {refusal:?} {refusal} {:?} {:?} {}",
        delivery.event,
        pierre_webhook_tower::Webhook::from(delivery.clone()),
        pierre_webhook_actix::Webhook::from(delivery.clone()),
        secret(),
        pierre_webhook_tower::VerifiedBody::from(delivery.body.clone()),
        delivery.id(),
        delivery.id(),
    )
    .unwrap();
    for text in [SECRET, "whsec_previous", mac, BODY_SECRET] {
        assert!(!printed.contains(text), "{text} in {printed}");
    }
}
