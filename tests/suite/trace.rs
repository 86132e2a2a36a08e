//! What is logged about a rejection. Checks that nothing that can be printed contains a secret.

use std::{
    collections::BTreeSet,
    convert::Infallible,
    fmt::{Debug, Display, Write},
    sync::{Arc, LazyLock, Mutex},
};

use actix_web::{App, FromRequest, HttpRequest, dev::Payload, web};
use axum::{Router, body::Body, extract::FromRequestParts, routing::post};
use bytes::Bytes;
use http::{Response, request::Parts};
use http_body_util::Full;
use pierre_webhook_core::{
    DeliveryHeaders, DeliveryId, EVENT_HEADER, Event, LiveVerifier, SIGNATURE_HEADER, Secret,
    Verifier,
};
use pierre_webhook_tests::{
    client::Request,
    sample::{BODY, NOW, SECRET, delivery, secret, tampered, verifier},
};
use tower::{Layer as _, Service, ServiceExt, service_fn};
use tracing::{Subscriber, field::Field, span};
use tracing_subscriber::{
    layer::{Context, Layer, SubscriberExt},
    registry,
};

/// Records each event and span, of every target and level, as a line: level, target and fields.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let mut line = format!("{} {}", metadata.level(), metadata.target());
        event.record(&mut |field: &Field, value: &dyn Debug| {
            if field.name() != "message" {
                write!(line, " {}={value:?}", field.name()).unwrap();
            }
        });
        self.0.lock().unwrap().push(line);
    }

    fn on_new_span(&self, span: &span::Attributes<'_>, _: &span::Id, _: Context<'_, S>) {
        self.0.lock().unwrap().push(format!("{span:?}"));
    }

    fn on_record(&self, _: &span::Id, fields: &span::Record<'_>, _: Context<'_, S>) {
        self.0.lock().unwrap().push(format!("{fields:?}"));
    }
}

impl Log {
    /// Makes this log the subscriber of the thread.
    ///
    /// While a process has just one subscriber, `tracing` asks only the thread that first uses a callsite, and a
    /// thread of another test, which has none, turns the callsite off for all. So there is always a second one.
    fn subscribe(&self) -> tracing::subscriber::DefaultGuard {
        static SECOND: LazyLock<tracing::Dispatch> = LazyLock::new(|| registry().into());
        LazyLock::force(&SECOND);
        tracing::subscriber::set_default(registry().with(self.clone()))
    }

    /// Returns what the crates logged. First checks that nothing that was logged contains a secret.
    fn lines(&self) -> Vec<String> {
        let mut lines = std::mem::take(&mut *self.0.lock().unwrap());
        assert!(lines.iter().any(|line| line.starts_with("TRACE")), "every level is seen");
        assert_prints_none(&lines.join("\n"), &secrets());
        let target = |line: &String| line.split(' ').nth(1).map(str::to_owned);
        lines.retain(|line| target(line).is_some_and(|target| target.starts_with("pierre")));
        lines
    }
}

/// What [`rejections`] must not leave in a log.
fn secrets() -> Vec<Vec<u8>> {
    let signed = [NOW, 0].map(|timestamp| secret().sign(timestamp, BODY.as_bytes()));
    let macs = signed.iter().flat_map(|signature| macs(signature));
    // A word that only the body contains, and one that only the error of the look-up contains.
    [SECRET, "thing", "hunter2"].map(Vec::from).into_iter().chain(macs).collect()
}

async fn unavailable() -> Result<Option<Verifier>, &'static str> {
    Err("the database password is hunter2")
}

fn rejections() -> Vec<Request> {
    let unsigned = |request: Request| request.without(SIGNATURE_HEADER);
    vec![
        delivery(),
        tampered(),
        unsigned(delivery()),
        unsigned(delivery()).without(EVENT_HEADER).header(EVENT_HEADER, "a, b"),
        Request::delivery("push", &secret().sign(NOW, BODY.as_bytes()), BODY),
        Request::delivery("ping", &secret().sign(0, BODY.as_bytes()), BODY),
        delivery().path("/unavailable"),
        tampered().path("/acme"),
    ]
}

fn expected(target: &str) -> Vec<String> {
    [
        "WARN TARGET status=401 reason=Invalid signature event_type=\"ping\"",
        "DEBUG TARGET status=400 reason=Missing or invalid X-Pierre-Signature header event_type=\"ping\"",
        "DEBUG TARGET status=400 reason=Missing or invalid X-Pierre-Signature header",
        "DEBUG TARGET status=422 reason=Invalid push payload event_type=\"push\"",
        "WARN TARGET status=401 reason=Webhook timestamp too old (1790000000 seconds) event_type=\"ping\"",
        "ERROR TARGET status=503 reason=Webhook verifier is not available event_type=\"ping\"",
        "WARN TARGET status=401 reason=Invalid signature tenant=\"acme\" event_type=\"ping\"",
    ]
    .map(|line| line.replace("TARGET", target))
    .to_vec()
}

#[tokio::test]
async fn the_layer_logs_each_rejection_once() {
    use pierre_webhook_tower::{VerifyWebhookLayer, Webhook};

    let log = Log::default();
    let guard = log.subscribe();
    let handler = post(async |_: Webhook| "");
    let layered = Router::new()
        .route("/webhooks", handler.clone().layer(VerifyWebhookLayer::new(verifier())))
        .route(
            "/unavailable",
            handler.clone().layer(VerifyWebhookLayer::new(|_: &Parts| unavailable())),
        )
        .route("/acme", handler.clone().layer(VerifyWebhookLayer::new(verifier().tenant("acme"))))
        .route("/bare", handler);
    tracing::trace!("as finely as it gets");
    for of in rejections().into_iter().chain([delivery().path("/bare")]) {
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
    assert_eq!(log.lines(), expected);
}

#[actix_web::test]
async fn the_extractor_logs_each_rejection_once() {
    use pierre_webhook_actix::{Webhook, WebhookConfig};

    let log = Log::default();
    let guard = log.subscribe();
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
    tracing::trace!("as finely as it gets");
    let taken = delivery().path("/taken").header("content-length", BODY.len().to_string());
    for of in rejections().into_iter().chain([delivery().path("/bare"), taken]) {
        let mut request = actix_web::test::TestRequest::post().uri(of.path).set_payload(of.body);
        for (name, value) in of.headers {
            request = request.append_header((name, value));
        }
        actix_web::test::call_service(&app, request.to_request()).await;
    }
    drop(guard);
    let mut expected = expected("pierre_webhook_actix");
    for mistake in [
        "Webhook is not configured: add WebhookConfig to app_data",
        "Webhook body was taken by another extractor: take Webhook first",
    ] {
        let of = "event_type=\"ping\"";
        expected.push(format!("ERROR pierre_webhook_actix status=500 reason={mistake} {of}"));
    }
    assert_eq!(log.lines(), expected);
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
    use pierre_webhook_actix::{Webhook, WebhookConfig};

    let records: &LogRecords = Box::leak(Box::default());
    log::set_logger(records).expect("no other test sets one");
    log::set_max_level(log::LevelFilter::Trace);
    let config = WebhookConfig::new(|_: &HttpRequest| unavailable());
    let app = App::new()
        .wrap(actix_web::middleware::Logger::default())
        .app_data(config)
        .route("/unavailable", web::post().to(async |_: Webhook| ""));
    let app = actix_web::test::init_service(app).await;
    let request = actix_web::test::TestRequest::post().uri("/unavailable");
    let request = delivery()
        .headers
        .into_iter()
        .fold(request, |request, (name, value)| request.append_header((name, value)));
    let response = actix_web::test::call_service(&app, request.to_request()).await;
    assert_eq!(response.status(), 503);
    drop(response);
    let printed = records.0.lock().unwrap().clone();
    assert!(printed.contains("Error in response: Rejection"), "{printed}");
    assert_prints_none(&printed, &secrets());
}

const BODY_SECRET: &str = "body-text-of-the-sender";

#[actix_web::test]
async fn debug_and_display_print_no_secret_no_signature_and_no_body() {
    use actix_web::dev::{ServiceFactory as _, ServiceRequest, Transform as _};
    use pierre_webhook_actix::{VerifyWebhook, Webhook, WebhookConfig};
    use pierre_webhook_tower::VerifyWebhookLayer;

    let body = format!("[\"{BODY_SECRET}\"]");
    let signature = secret().sign(NOW, body.as_bytes());
    let headers =
        DeliveryHeaders::parse([(SIGNATURE_HEADER, &*signature), (EVENT_HEADER, "ping")]).unwrap();
    let verifier = verifier().or_secret(Secret::new("whsec_previous").unwrap());
    let mut print = Printed::default();

    print.debug("core::Secret", &secret());
    print.debug("core::Verifier", &verifier);
    print.debug("core::LiveVerifier", &LiveVerifier::new(verifier.clone()));
    print.debug("core::DeliveryHeaders", &headers);
    print.debug("core::Signature", headers.signature());
    let mut pending = verifier.begin(&headers).unwrap();
    pending.push(body.clone().into()).unwrap();
    print.debug("core::PendingDelivery", &pending);
    let delivery = pending.finish().unwrap();
    print.debug("core::Delivery", &delivery);
    print.both("core::DeliveryId", &delivery.id());
    print.debug("core::Event", &delivery.event);
    let Event::Unknown(unknown) = &delivery.event else { panic!("{:?}", delivery.event) };
    print.debug("core::UnknownEvent", unknown);
    print.both("core::Error", &verifier.verify_signature(&signature, b"").unwrap_err());
    print.both("core::EmptySecret", &Secret::new("").unwrap_err());
    print.both("core::ParseDeliveryIdError", &SECRET.parse::<DeliveryId>().unwrap_err());
    print.both("core::SecretFromEnvError", &Secret::from_env("PIERRE_NOT_SET").unwrap_err());

    let layer = VerifyWebhookLayer::new(verifier.clone());
    let mut service = layer.layer(service_fn(async |_: http::Request<_>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    }));
    print.debug("tower::VerifyWebhookLayer", &layer);
    print.debug("tower::VerifyWebhook", &layer.layer(()));
    let request = |body: &str| {
        let request = http::Request::post("/")
            .header(SIGNATURE_HEADER, &signature)
            .header(EVENT_HEADER, "ping");
        request.body(Full::<Bytes>::from(body.to_owned())).unwrap()
    };
    print.debug("tower::ResponseFuture", &service.call(request(&body)));
    let response = service.call(request(BODY_SECRET)).await.unwrap();
    print.debug("tower::ResponseBody", response.body());
    let rejection = response.extensions().get::<pierre_webhook_tower::Rejection>();
    print.both("tower::Rejection", rejection.unwrap());
    let looking_up = VerifyWebhookLayer::new(|_: &Parts| unavailable());
    let response = looking_up.layer(service_fn(async |_: http::Request<_>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    }));
    let response = response.oneshot(request(&body)).await.unwrap();
    let with_cause = response.extensions().get::<pierre_webhook_tower::Rejection>();
    print.both("tower::Rejection", with_cause.unwrap());
    print.debug("tower::ProblemResponse", &pierre_webhook_tower::ProblemResponse::default());
    print.debug(
        "tower::VerifiedBody",
        &pierre_webhook_tower::VerifiedBody::from(delivery.body.clone()),
    );
    print.debug("tower::Webhook", &pierre_webhook_tower::Webhook::from(delivery.clone()));
    let (mut parts, _) = request(&body).into_parts();
    let missing = pierre_webhook_tower::Webhook::from_request_parts(&mut parts, &()).await;
    print.both("tower::MissingVerifyWebhookLayer", &missing.unwrap_err());

    let verify = VerifyWebhook::new(verifier.clone());
    print.debug("actix::VerifyWebhook", &verify);
    let handler = actix_web::dev::fn_service(async |request: ServiceRequest| {
        Ok::<_, actix_web::Error>(request.into_response(actix_web::HttpResponse::Ok()))
    });
    let handler = handler.new_service(()).await.unwrap();
    let wrapped = verify.new_transform(handler).await.unwrap();
    print.debug("actix::VerifyWebhookMiddleware", &wrapped);
    let config = WebhookConfig::new(verifier);
    print.debug("actix::WebhookConfig", &config);
    print.debug("actix::Webhook", &Webhook::from(delivery));
    let request = |body: &str| {
        let request = actix_web::test::TestRequest::post()
            .append_header((SIGNATURE_HEADER, &*signature))
            .append_header((EVENT_HEADER, "ping"));
        request.set_payload(body.to_owned())
    };
    let extract = async |request: actix_web::test::TestRequest, is_taken: bool| {
        let (request, mut payload) = request.to_http_parts();
        let payload = if is_taken { &mut Payload::None } else { &mut payload };
        Webhook::from_request(&request, payload).await.unwrap_err()
    };
    let rejected = extract(request(BODY_SECRET).app_data(config.clone()), false).await;
    print.both("actix::Rejection", &rejected);
    let looking_up = WebhookConfig::new(|_: &HttpRequest| unavailable());
    print.both("actix::Rejection", &extract(request(&body).app_data(looking_up), false).await);
    let length = ("content-length", body.len());
    let taken = request(&body).append_header(length).app_data(config);
    print.both("actix::WebhookBodyTaken", &extract(taken, true).await);
    print.both("actix::MissingWebhookConfig", &extract(request(&body), false).await);

    let mac = macs(&signature);
    let texts =
        [SECRET, "whsec_previous", BODY_SECRET, "hunter2"].map(|text| text.as_bytes().to_vec());
    assert_prints_none(&print.text, &[&texts[..], &mac].concat());
    // A payload's fields may be printed.
    let payloads = ["Push", "RepoSyncStarted", "RepoSyncSucceeded", "RepoSyncFailed"];
    print.names.extend(payloads.map(|event| format!("Debug core::{event}Event")));
    print.names.insert("Debug core::Repository".into());
    print.names.extend(["Debug", "Display"].map(|form| format!("{form} core::SyncFailure")));
    assert_eq!(print.names, printable());
}

/// What was printed, and by which types.
#[derive(Default)]
struct Printed {
    text: String,
    names: BTreeSet<String>,
}

impl Printed {
    fn debug(&mut self, name: &str, value: &dyn Debug) {
        let text = format!("{value:?}\n{value:#?}\n");
        assert_ne!(text.trim(), "", "{name}");
        self.text.push_str(&text);
        self.names.insert(format!("Debug {name}"));
    }

    fn both(&mut self, name: &str, value: &(impl Debug + Display)) {
        self.debug(name, value);
        writeln!(self.text, "{value} {value:#}").unwrap();
        self.names.insert(format!("Display {name}"));
    }
}

/// Every type in the crates' public API that can be printed, and how.
fn printable() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for api in [
        include_str!("../../api/pierre-webhook-core.txt"),
        include_str!("../../api/pierre-webhook-tower.txt"),
        include_str!("../../api/pierre-webhook-tower+axum.txt"),
        include_str!("../../api/pierre-webhook-actix.txt"),
    ] {
        for form in ["Debug", "Display"] {
            let of = format!(" core::fmt::{form} for pierre_webhook_");
            let types = api.lines().filter_map(|line| line.split_once(&of));
            names.extend(types.map(|(_, name)| {
                let end = name.find(['<', ' ']).unwrap_or(name.len());
                format!("{form} {}", &name[..end])
            }));
        }
    }
    names
}

/// Returns the MACs of a signature header, as digits and as bytes.
pub(crate) fn macs(signature: &str) -> Vec<Vec<u8>> {
    let values = signature.split(',').filter_map(|element| element.trim().strip_prefix("sha256="));
    let macs = values.filter(|digits| digits.len() == 64);
    macs.flat_map(|digits| {
        let byte = |at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        let bytes: Option<Vec<u8>> = (0..64).step_by(2).map(byte).collect();
        [Some(digits.into()), bytes]
    })
    .flatten()
    .collect()
}

/// Checks that no secret was printed: as text, as hex digits, or as a derived `Debug` prints bytes (a list of
/// numbers, possibly one per line).
pub(crate) fn assert_prints_none(printed: &str, secrets: &[Vec<u8>]) {
    let packed: String = printed.split_whitespace().collect();
    for secret in secrets {
        let form = |byte_as: fn(&u8) -> String, between| {
            secret.iter().map(byte_as).collect::<Vec<_>>().join(between)
        };
        let (hex, list) = (form(|byte| format!("{byte:02x}"), ""), form(u8::to_string, ","));
        let is_there = packed.contains(&hex)
            || packed.contains(&list)
            || str::from_utf8(secret).is_ok_and(|text| printed.contains(text));
        assert!(!is_there, "{} in {printed}", secret.escape_ascii());
    }
}
