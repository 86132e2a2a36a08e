//! Checks that nothing that can be printed contains a secret. (The adapters' own tests check what they log.)

use std::{
    collections::BTreeSet,
    convert::Infallible,
    fmt::{Debug, Display, Write},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use axum::extract::FromRequestParts;
use bytes::Bytes;
use http::{Response, request::Parts};
use http_body_util::Full;
use pierre_webhook_core::{
    DeliveryHeaders, DeliveryId, EVENT_HEADER, Event, LiveVerifier, SIGNATURE_HEADER, Secret,
};
use pierre_webhook_tests::{
    rejections::unavailable,
    sample::{NOW, SECRET, secret, verifier},
    secrecy::{assert_prints_none, macs},
};
use tower::{Layer, Service, ServiceExt, service_fn};

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
