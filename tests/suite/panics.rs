//! User code that panics fails the request that it panicked for, and nothing else.

use std::{
    convert::Infallible,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, UNIX_EPOCH},
};

use actix_web::{HttpRequest, HttpResponse, error::InternalError, web};
use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::post,
};
use http::request::Parts;
use pierre_webhook_core::{LiveVerifier, Verifier};
use pierre_webhook_tests::{
    client::{Connection, Request, exchange},
    http2::Http2,
    sample::{BODY, NOW, delivery, secret, tampered, verifier},
    server::{Actix, Handled, Server, actix_app, actix_with, axum_with, wrapped_app, wrapped_with},
};

/// Panics like `panic!`, but without the message on standard error.
fn panics() -> ! {
    resume_unwind(Box::new("user code"))
}

/// Panics at one of every `every` calls.
#[derive(Clone)]
struct Faulty {
    calls: Arc<AtomicUsize>,
    every: usize,
}

impl Default for Faulty {
    /// Panics every other time that it is called, starting with the first.
    fn default() -> Self {
        Self::after(0, 2)
    }
}

impl Faulty {
    /// Panics once in every cycle of calls, after `skipped` calls that don't.
    fn after(skipped: usize, every: usize) -> Self {
        Self { calls: Arc::new(AtomicUsize::new(every - skipped)), every }
    }

    fn call(&self) {
        if self.calls.fetch_add(1, Ordering::SeqCst).is_multiple_of(self.every) {
            panics();
        }
    }
}

/// A verifier whose clock panics at the head of every other delivery. (A delivery that isn't lost reads it twice.)
fn faulty_clock() -> Verifier {
    clock(Faulty::after(0, 3))
}

/// A verifier whose clock panics for every other delivery, when the body is complete.
fn clock_that_is_faulty_at_the_end() -> Verifier {
    clock(Faulty::after(1, 4))
}

fn clock(faulty: Faulty) -> Verifier {
    Verifier::new(secret()).clock(move || {
        faulty.call();
        UNIX_EPOCH + Duration::from_secs(NOW)
    })
}

/// Checks that of each two requests like this, the first is lost and the second gets the status. It sends more
/// requests than there are threads.
fn assert_every_other_is_lost(server: &Server, request: &Request, status: u16) {
    for round in 0..10 {
        // Another connection, whose request is in progress.
        let mut beside = Connection::open(server.address);
        let bytes = tampered().path("/beside").with_content_length();
        beside.send(&bytes[..bytes.len() - 1]);

        let bytes = if round % 2 == 0 { request.with_content_length() } else { request.chunked(4) };
        let mut connection = Connection::open(server.address);
        let lost = connection.send(&bytes).receive_or_close().map(|response| response.status);
        assert!([None, Some(500)].contains(&lost), "{} {round}: {lost:?}", server.name);
        assert_eq!(exchange(server.address, &bytes).status, status, "{} {round}", server.name);

        assert_eq!(beside.send(b"}").receive().status, 418, "{} {round}", server.name);
    }
}

#[test]
fn a_clock_that_panics_loses_one_request() {
    let handled = Handled::default();
    for verifier in [faulty_clock, clock_that_is_faulty_at_the_end] {
        for server in [
            axum_with(verifier(), handled.clone()),
            actix_with(verifier(), handled.clone()),
            wrapped_with(verifier(), handled.clone()),
        ] {
            assert_every_other_is_lost(&server, &delivery(), 200);
        }
    }
    assert_eq!(handled.count(), 60);
}

#[test]
fn a_live_verifier_still_works_after_its_clock_panicked() {
    let live = LiveVerifier::new(faulty_clock());
    let signature = secret().sign(NOW, BODY.as_bytes());
    let verify = || live.current().verify_signature(&signature, BODY.as_bytes());
    assert!(catch_unwind(AssertUnwindSafe(verify)).is_err());
    assert_eq!(verify(), Ok(NOW));

    let handled = Handled::default();
    for server in [
        axum_with(live.clone(), handled.clone()),
        actix_with(live.clone(), handled.clone()),
        wrapped_with(live.clone(), handled.clone()),
    ] {
        live.replace(faulty_clock());
        assert_every_other_is_lost(&server, &delivery(), 200);
        // It is replaced while the previous verifier panics.
        let mut connection = Connection::open(server.address);
        connection.send(&delivery().with_content_length());
        let lost = connection.receive_or_close().map(|response| response.status);
        assert!([None, Some(500)].contains(&lost), "{}: {lost:?}", server.name);
        live.replace(verifier());
        for _ in 0..4 {
            let response = exchange(server.address, &delivery().with_content_length());
            assert_eq!(response.status, 200, "{}", server.name);
        }
    }
    assert_eq!(handled.count(), 42);
}

#[test]
fn a_finder_that_panics_loses_one_request() {
    let handled = Handled::default();
    // In the call, and in the future.
    for is_in_call in [true, false] {
        let [axum, actix, wrapped] = [(); 3].map(|()| Faulty::default());
        let axum = move |_: &Parts| find(axum.clone(), is_in_call);
        let actix = move |_: &HttpRequest| find(actix.clone(), is_in_call);
        let wrapped = move |_: &HttpRequest| find(wrapped.clone(), is_in_call);
        for server in [
            axum_with(axum, handled.clone()),
            actix_with(actix, handled.clone()),
            wrapped_with(wrapped, handled.clone()),
        ] {
            assert_every_other_is_lost(&server, &delivery(), 200);
        }
    }
    assert_eq!(handled.count(), 60);
}

fn find(
    faulty: Faulty,
    is_in_call: bool,
) -> impl Future<Output = Result<Option<Verifier>, Infallible>> {
    if is_in_call {
        faulty.call();
    }
    async move {
        tokio::task::yield_now().await;
        if !is_in_call {
            faulty.call();
        }
        Ok(Some(verifier()))
    }
}

#[test]
fn a_rejection_response_that_panics_loses_one_request() {
    use pierre_webhook_tower::{Rejection, VerifyWebhookLayer, Webhook};

    let faulty = Faulty::default();
    let respond = move |rejection: Rejection| -> Response {
        faulty.call();
        rejection.into_response()
    };
    let layer = VerifyWebhookLayer::new(verifier()).with_rejection_response(respond);
    let handler = async |_: Webhook| "handled";
    let router = Router::new()
        .route("/webhooks", post(handler).layer(layer))
        .fallback(async || http::StatusCode::IM_A_TEAPOT);
    let server = Server::axum(router);
    assert_every_other_is_lost(&server, &tampered(), 401);
    let good = exchange(server.address, &delivery().with_content_length());
    assert_eq!(good.body, b"handled");
}

#[test]
fn an_error_handler_that_panics_loses_one_request() {
    use pierre_webhook_actix::{Rejection, VerifyWebhook, Webhook, WebhookConfig};

    let handler = || {
        let faulty = Faulty::default();
        move |rejection: Rejection, _: &HttpRequest| {
            faulty.call();
            InternalError::new(rejection.to_string(), rejection.status()).into()
        }
    };
    let config = WebhookConfig::new(verifier()).error_handler(handler());
    let verify = VerifyWebhook::new(verifier()).error_handler(handler());
    let route = || web::post().to(async |_: Webhook| "handled");
    let otherwise = || web::to(async || HttpResponse::ImATeapot());
    let extracting = Server::actix(move |app| {
        app.app_data(config.clone()).route("/webhooks", route()).default_service(otherwise());
    });
    let wrapped = Server::actix(move |app| {
        app.service(web::resource("/webhooks").wrap(verify.clone()).route(route()))
            .default_service(otherwise());
    });
    for server in [extracting, wrapped] {
        assert_every_other_is_lost(&server, &tampered(), 401);
        let good = exchange(server.address, &delivery().with_content_length());
        assert_eq!(good.body, b"handled");
    }
}

/// Starts a server for each adapter, with HTTP/1 and HTTP/2, whose handler panics every other time.
fn faulty_handlers() -> [Server; 3] {
    let faulty = Faulty::default();
    let handler = async move |_: pierre_webhook_tower::Webhook| {
        faulty.call();
        "handled"
    };
    let layer = pierre_webhook_tower::VerifyWebhookLayer::new(verifier());
    let router = Router::new()
        .route("/webhooks", post(handler).layer(layer))
        .fallback(async || http::StatusCode::IM_A_TEAPOT);

    let config = pierre_webhook_actix::WebhookConfig::new(verifier());
    let verify = pierre_webhook_actix::VerifyWebhook::new(verifier());
    let [actix, wrapped] = [false, true].map(|is_wrapped| {
        let (faulty, config, verify) = (Faulty::default(), config.clone(), verify.clone());
        let settings = Actix { speaks_http2: true, ..Actix::default() };
        Server::actix_as(settings, move |app| {
            let faulty = faulty.clone();
            let handler = move |_: pierre_webhook_actix::Webhook| {
                let faulty = faulty.clone();
                async move {
                    faulty.call();
                    "handled"
                }
            };
            let resource = web::resource("/webhooks").route(web::post().to(handler));
            if is_wrapped {
                app.service(resource.wrap(verify.clone()));
            } else {
                app.service(resource.app_data(config.clone()));
            }
            app.default_service(web::to(async || HttpResponse::ImATeapot()));
        })
    });
    [Server::axum(router), actix, wrapped]
}

#[test]
fn a_handler_that_panics_loses_one_request() {
    for server in faulty_handlers() {
        assert_every_other_is_lost(&server, &delivery(), 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_loses_one_stream_of_its_connection() {
    let handled = Handled::default();
    let settings = Actix { speaks_http2: true, ..Actix::default() };
    let clocks = [
        axum_with(faulty_clock(), handled.clone()),
        Server::actix_as(settings, actix_app(faulty_clock(), handled.clone())),
        Server::actix_as(settings, wrapped_app(faulty_clock(), handled.clone())),
    ];
    for server in clocks.iter().chain(&faulty_handlers()) {
        let client = Http2::open(server.address).await;
        for round in 0..20 {
            let lost = client.exchange(&delivery()).await.map(|response| response.status);
            assert!(lost.is_err(), "{} {round}: {lost:?}", server.name);
            let response = client.exchange(&delivery()).await.expect("an answer");
            assert_eq!(response.status, 200, "{} {round}", server.name);
        }
    }
    assert_eq!(handled.count(), 60);
}
