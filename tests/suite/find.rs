//! Verifiers that are looked up for each request, or replaced while requests are served.

use std::{
    convert::Infallible,
    future::{Pending, pending},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, UNIX_EPOCH},
};

use actix_web::HttpRequest;
use http::{StatusCode, request::Parts};
use pierre_webhook_core::{LiveVerifier, Secret, Verifier};
use pierre_webhook_tests::{
    client::{Connection, Response, exchange},
    sample::{NOW, delivery, delivery_by, tampered, verifier, verifier_of},
    server::{Handled, Server, actix_with, all, axum_router, axum_with, wrapped_with},
};
use tower_http::timeout::TimeoutLayer;

/// Starts a server for each adapter that looks its verifier up by the header `x-tenant`, after a wait.
fn looking_up(handled: &Handled) -> [Server; 3] {
    async fn find(tenant: Option<String>) -> Result<Option<Verifier>, &'static str> {
        tokio::task::yield_now().await;
        match tenant.as_deref() {
            Some("known") => Ok(Some(verifier())),
            Some("broken") => Err("the database password is hunter2"),
            _ => Ok(None),
        }
    }
    let axum = |parts: &Parts| {
        let tenant = parts.headers.get("x-tenant").map(|name| name.to_str().unwrap().to_owned());
        find(tenant)
    };
    let actix = |request: &HttpRequest| {
        let tenant =
            request.headers().get("x-tenant").map(|name| name.to_str().unwrap().to_owned());
        find(tenant)
    };
    [
        axum_with(axum, handled.clone()),
        actix_with(actix, handled.clone()),
        wrapped_with(actix, handled.clone()),
    ]
}

#[test]
fn an_unknown_tenant_gets_the_response_of_a_wrong_signature_before_the_body_is_read() {
    let handled = Handled::default();
    for server in looking_up(&handled) {
        let head = delivery().header("x-tenant", "unknown").head("Content-Length: 15\r\n");
        let unknown = exchange(server.address, &head);
        let request = tampered().header("x-tenant", "known");
        let wrong = exchange(server.address, &request.with_content_length());
        let answer = |response: &Response| (response.status, response.body.clone());
        assert_eq!(answer(&unknown), answer(&wrong), "{}", server.name);
        assert_eq!((unknown.status, &*unknown.detail()), (401, "Invalid signature"));
        let good = delivery().header("x-tenant", "known");
        assert_eq!(exchange(server.address, &good.with_content_length()).status, 200);
    }
    assert_eq!(handled.count(), 3);
}

#[test]
fn a_failed_look_up_is_a_503_that_hides_the_cause() {
    let handled = Handled::default();
    for server in looking_up(&handled) {
        let head = delivery().header("x-tenant", "broken").head("Content-Length: 15\r\n");
        let response = exchange(server.address, &head);
        assert_eq!(
            (response.status, &*response.detail(), response.header("retry-after")),
            (503, "Webhook verifier is not available", Some("5")),
            "{}",
            server.name
        );
        assert!(!format!("{response:?}").contains("hunter2"));
    }
    assert_eq!(handled.count(), 0);
}

#[test]
fn no_verifier_is_looked_up_for_a_request_that_is_not_a_delivery() {
    let handled = Handled::default();
    let axum = |_: &Parts| async { panic!("looked up") as Result<_, Infallible> };
    let actix = |_: &HttpRequest| async { panic!("looked up") as Result<_, Infallible> };
    for server in [
        axum_with(axum, handled.clone()),
        actix_with(actix, handled.clone()),
        wrapped_with(actix, handled.clone()),
    ] {
        let request = delivery().without("x-pierre-event");
        let response = exchange(server.address, &request.with_content_length());
        assert_eq!(response.status, 400, "{}", server.name);
    }
}

#[test]
fn a_secret_is_rotated_under_load_without_a_wrong_answer() {
    // An odd stage begins before a replacement; the even one that follows begins when the replacement is done.
    const BOTH: usize = 2;
    const NEW_ALONE: usize = 4;
    const OVER: usize = 6;

    let [old, new] = ["old", "new"].map(|secret| Secret::new(secret).unwrap());
    let live = LiveVerifier::new(verifier_of(old.clone()));
    let handled = Handled::default();
    let stage = &AtomicUsize::new(0);
    let send = &|address, secret: &Secret, is_old: bool| {
        let bytes = delivery_by(secret).with_content_length();
        let mut connection = Connection::open(address);
        loop {
            let before = stage.load(Ordering::SeqCst);
            if before == OVER {
                return;
            }
            let status = connection.send(&bytes).receive().status;
            let after = stage.load(Ordering::SeqCst);
            let is_accepted = after <= BOTH && is_old || before >= BOTH && !is_old;
            let is_rejected = before >= NEW_ALONE && is_old || after == 0 && !is_old;
            match status {
                200 => assert!(!is_rejected, "{before} {after} {is_old}"),
                401 => assert!(!is_accepted, "{before} {after} {is_old}"),
                _ => panic!("{status}"),
            }
        }
    };
    let servers = [
        axum_with(live.clone(), handled.clone()),
        actix_with(live.clone(), handled.clone()),
        wrapped_with(live.clone(), handled.clone()),
    ];
    std::thread::scope(|scope| {
        let mut senders = Vec::new();
        for address in servers.each_ref().map(|server| server.address) {
            for (secret, is_old) in [(&old, true), (&new, false)] {
                senders.push(scope.spawn(move || send(address, secret, is_old)));
            }
        }
        let serve = |deliveries| {
            let target = handled.count() + deliveries;
            while handled.count() < target && !senders.iter().any(|sender| sender.is_finished()) {
                std::thread::yield_now();
            }
        };
        for verifier in [verifier_of(new.clone()).or_secret(old.clone()), verifier_of(new.clone())]
        {
            serve(100);
            stage.fetch_add(1, Ordering::SeqCst);
            live.replace(verifier);
            stage.fetch_add(1, Ordering::SeqCst);
        }
        serve(100);
        stage.store(OVER, Ordering::SeqCst);
    });
    assert!(handled.count() >= 300);
}

#[test]
fn a_previous_secret_expires_in_both_frameworks() {
    let old = Secret::new("old").unwrap();
    for (until, status) in [(NOW + 1, 200), (NOW, 401)] {
        let until = UNIX_EPOCH + Duration::from_secs(until);
        let (servers, _) = all(&verifier().or_secret_until(old.clone(), until));
        for server in &servers {
            let response = exchange(server.address, &delivery_by(&old).with_content_length());
            assert_eq!(response.status, status, "{}", server.name);
        }
    }
}

/// Never finds anything.
fn never<Head: ?Sized>() -> impl Fn(&Head) -> Pending<Result<Option<Verifier>, Infallible>> + Clone
{
    |_: &Head| pending()
}

#[test]
fn a_look_up_that_never_ends_is_stopped_by_the_timeout_of_each_framework() {
    use pierre_webhook_actix::{Webhook, WebhookConfig};

    const LIMIT: Duration = Duration::from_millis(100);

    let handled = Handled::default();
    let layer = TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, LIMIT);
    let axum = Server::axum(axum_router(never::<Parts>(), handled.clone()).layer(layer));
    let config = WebhookConfig::new(never::<HttpRequest>()).timeout(LIMIT);
    let actix = Server::actix(move |app| {
        let handler = async |_: Webhook| "handled";
        app.app_data(config.clone()).route("/webhooks", actix_web::web::post().to(handler));
    });
    let answer = |server: &Server| exchange(server.address, &delivery().with_content_length());
    assert_eq!(answer(&axum).status, 408);
    let response = answer(&actix);
    assert_eq!((response.status, &*response.detail()), (503, "Webhook verifier is not available"));
    assert_eq!(handled.count(), 0);
}
