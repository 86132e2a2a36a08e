//! Checks that rejections and panics print nothing secret. (`debug` checks every type.)

use std::{
    collections::HashSet,
    convert::Infallible,
    fmt::Debug,
    mem::discriminant,
    panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook},
    sync::{Arc, Mutex},
    task::{Context, Waker},
};

use actix_web::{HttpRequest, HttpResponse, web};
use axum::{Router, response::Response, routing::post};
use bytes::Bytes;
use http::request::Parts;
use http_body_util::Full;
use pierre_webhook_core::{
    DeliveryHeaders, EVENT_HEADER, Error, SIGNATURE_HEADER, Secret, Verifier,
};
use pierre_webhook_tests::{
    client::{Connection, Request},
    sample::{NOW, SECRET, secret, verifier, verifier_of},
    secrecy::{assert_prints_none, macs},
    server::Server,
    vectors::deliveries,
};
use serde_json::json;
use tower::{Layer, Service, service_fn};

#[test]
fn no_rejection_prints_a_secret_a_signature_or_the_body() {
    const HIDDEN: &str = "text-of-the-body";

    let mut seen = HashSet::new();
    let mut check = |error: Error, secrets: &[Vec<u8>]| {
        seen.insert(discriminant(&error));
        let of_tower = pierre_webhook_tower::Rejection::from(error.clone());
        let of_actix = pierre_webhook_actix::Rejection::from(error.clone());
        let printed = format!(
            "{error} {error:?} {error:#?} {of_tower} {of_tower:?} {of_actix} {of_actix:?} {}",
            String::from_utf8(error.problem_json()).expect("JSON is UTF-8")
        );
        assert_prints_none(&printed, secrets);
    };
    for vector in deliveries() {
        let signatures = vector.headers.iter().filter(|(name, _)| *name == SIGNATURE_HEADER);
        let macs = signatures.flat_map(|(_, value)| macs(&String::from_utf8_lossy(value)));
        let secrets = vector.secrets.iter().map(|secret| secret.as_bytes().to_vec());
        let secrets: Vec<_> = macs.chain(secrets).collect();
        let headers = DeliveryHeaders::parse(vector.headers.iter().map(|(name, of)| (name, of)));
        let answer =
            headers.and_then(|headers| vector.verifier().verify(&headers, vector.body.clone()));
        if let Err(error) = answer {
            check(error, &secrets);
        }
    }
    // A parser's error would quote this, if it were passed on. (A mismatch does print the `type`.)
    let push = json!({
        "repository": { "id": "", "url": "" },
        "ref": "", "before": "", "after": "", "customer_id": "", "pushed_at": "2024-01-20T10:30:00Z",
    });
    let mut bodies = vec![HIDDEN.to_owned(), json!(HIDDEN).to_string()];
    for field in ["repository", "ref", "before", "after", "customer_id", "pushed_at"] {
        for wrong in [json!([HIDDEN]), json!({ HIDDEN: HIDDEN }), json!(format!("\"{HIDDEN}"))] {
            let mut body = push.clone();
            body[field] = wrong;
            bodies.push(body.to_string());
        }
    }
    for body in bodies {
        let signature = secret().sign(NOW, body.as_bytes());
        let lines = [(SIGNATURE_HEADER, &*signature), (EVENT_HEADER, "push")];
        let headers = DeliveryHeaders::parse(lines).expect("a delivery");
        if let Err(error) = verifier().verify(&headers, body.into()) {
            check(error, &[macs(&signature), vec![SECRET.into(), HIDDEN.into()]].concat());
        }
    }
    for error in [Error::VerifierUnavailable, Error::BodyTooLargeForServer, Error::BodyUnreadable] {
        check(error, &[SECRET.into()]);
    }
    assert_eq!(seen.len(), 14, "every rejection is among them");
}

/// Collects what every panic of the process prints from now on, also those of other tests.
fn printed_by_panics() -> Arc<Mutex<String>> {
    let printed = Arc::<Mutex<String>>::default();
    let (all, print) = (Arc::clone(&printed), take_hook());
    set_hook(Box::new(move |panic| {
        let text = panic.to_string();
        if !text.contains(GIVEN) {
            print(panic);
        }
        all.lock().unwrap().push_str(&text);
    }));
    printed
}

const GIVEN: &str = "user code was given";

/// Panics as `expect` does.
fn panics_with(given: &dyn Debug) -> ! {
    panic!("{GIVEN} {given:?}")
}

#[test]
fn no_panic_in_a_request_prints_a_secret_a_signature_or_the_body() {
    // Other tests panic too, if they fail.
    const WHSEC: &str = "whsec_that_no_panic_prints";

    let printed = printed_by_panics();
    let secret = Secret::new(WHSEC).unwrap();
    let verifier = verifier_of(secret.clone());
    let body = r#"["a-body-that-no-panic-prints"]"#;
    let signature = secret.sign(NOW, body.as_bytes());
    let good = Request::delivery("ping", &signature, body);
    let forged = Request::delivery("ping", &signature, format!("{body} "));

    let servers = [axum_that_panics(&verifier), actix_that_panics(&verifier)];
    for server in &servers {
        for (path, request) in
            [("/handler", &good), ("/rejected", &forged), ("/finder", &good), ("/clock", &good)]
        {
            let bytes = request.clone().path(path).with_content_length();
            let lost = Connection::open(server.address).send(&bytes).receive_or_close();
            assert_eq!(lost.map(|response| response.body), None, "{} {path}", server.name);
        }
    }
    let layer = pierre_webhook_tower::VerifyWebhookLayer::new(verifier);
    let mut service = layer.layer(service_fn(async |_: http::Request<_>| {
        Ok::<_, Infallible>(http::Response::new(Full::<Bytes>::default()))
    }));
    let request = http::Request::post("/").header(SIGNATURE_HEADER, &signature);
    let request = request.body(Full::<Bytes>::from(body)).unwrap();
    let mut future = Box::pin(service.call(request));
    let mut poll = || future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
    assert!(poll(), "there is nothing to wait for");
    catch_unwind(AssertUnwindSafe(poll)).unwrap_err();

    // Unlocked before anything below can panic.
    let printed = printed.lock().unwrap().clone();
    assert_eq!(printed.matches(GIVEN).count(), 8, "{printed}");
    assert_eq!(printed.matches("polled after completion").count(), 1, "{printed}");
    let mut secrets = macs(&signature);
    secrets.extend([WHSEC, "a-body-that-no-panic-prints"].map(Vec::from));
    assert_prints_none(&printed, &secrets);
}

fn axum_that_panics(verifier: &Verifier) -> Server {
    use pierre_webhook_tower::{Rejection, VerifyWebhookLayer, Webhook};

    async fn handler(webhook: Webhook) {
        panics_with(&webhook)
    }
    let layer = VerifyWebhookLayer::new(verifier.clone());
    let rejected = layer
        .clone()
        .with_rejection_response(|rejection: Rejection| -> Response { panics_with(&rejection) });
    let known = verifier.clone();
    let finder = VerifyWebhookLayer::new(move |_: &Parts| {
        let known = known.clone();
        async move { panics_with(&known) as Result<_, Infallible> }
    });
    let clock = VerifyWebhookLayer::new(verifier.clone().clock(|| panics_with(&"the time")));
    Server::axum(
        Router::new()
            .route("/handler", post(handler).layer(layer))
            .route("/rejected", post(handler).layer(rejected))
            .route("/finder", post(handler).layer(finder))
            .route("/clock", post(handler).layer(clock)),
    )
}

fn actix_that_panics(verifier: &Verifier) -> Server {
    use pierre_webhook_actix::{Webhook, WebhookConfig};

    async fn handler(webhook: Webhook) -> HttpResponse {
        panics_with(&webhook)
    }
    let config = WebhookConfig::new(verifier.clone());
    let rejected = config.clone().error_handler(|rejection, _| panics_with(&rejection));
    let known = verifier.clone();
    let finder = WebhookConfig::new(move |_: &HttpRequest| {
        let known = known.clone();
        async move { panics_with(&known) as Result<_, Infallible> }
    });
    let clock = WebhookConfig::new(verifier.clone().clock(|| panics_with(&"the time")));
    Server::actix(move |app| {
        for (path, config) in [
            ("/handler", &config),
            ("/rejected", &rejected),
            ("/finder", &finder),
            ("/clock", &clock),
        ] {
            let resource = web::resource(path).app_data(config.clone());
            app.service(resource.route(web::post().to(handler)));
        }
    })
}
