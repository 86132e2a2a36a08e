//! Slow senders, with and without the timeouts that the READMEs recommend.

use std::time::Duration;

use actix_web::web;
use axum::Router;
use http::StatusCode;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use pierre_webhook_tests::{
    client::{Connection, exchange},
    sample::{delivery, verifier},
    server::{Actix, Handled, Server, actix_app, all, axum_router},
};
use tower_http::timeout::{RequestBodyTimeoutLayer, TimeoutLayer};

const LIMIT: Duration = Duration::from_millis(300);
/// The pause between two bytes of a trickle. It is below the limit.
const PAUSE: Duration = Duration::from_millis(20);

/// Sends byte by byte until the server responds or closes the connection, or all is sent.
fn trickle(connection: &mut Connection, bytes: &[u8]) {
    for byte in bytes {
        connection.send(&[*byte]);
        if connection.is_answered_within(PAUSE) {
            return;
        }
    }
}

/// Starts the axum server of these tests, with layers around its route.
fn axum(handled: &Handled, layered: impl FnOnce(Router) -> Router) -> Server {
    Server::axum(layered(axum_router(verifier(), handled.clone())))
}

/// Starts the actix servers of these tests, with the limit in the config and in the middleware.
fn actix_with_limit(handled: &Handled) -> [Server; 2] {
    use pierre_webhook_actix::{VerifyWebhook, Webhook, WebhookConfig};

    let config = WebhookConfig::new(verifier()).timeout(LIMIT);
    let verify = VerifyWebhook::new(verifier()).timeout(LIMIT);
    let handled = handled.clone();
    let app = move |app: &mut web::ServiceConfig, is_wrapped| {
        let handled = handled.clone();
        let handler = move |webhook: Webhook| {
            let answer = handled.handle(&webhook).to_string();
            async move { answer }
        };
        let route = web::post().to(handler);
        if is_wrapped {
            app.service(web::resource("/webhooks").wrap(verify.clone()).route(route));
        } else {
            app.app_data(config.clone()).route("/webhooks", route);
        }
    };
    [false, true].map(|is_wrapped| {
        let app = app.clone();
        Server::actix(move |config| app(config, is_wrapped))
    })
}

/// A body that stops arriving, and one that never ends.
fn slow_bodies() -> [Vec<u8>; 2] {
    let head = delivery().head("Content-Length: 100000\r\n");
    [Vec::new(), vec![b' '; 1000]].map(|body| [&head[..], &body].concat())
}

/// Sends the head at once and the body in a trickle, and reads the response.
fn answer_to(server: &Server, bytes: &[u8]) -> (u16, Vec<u8>) {
    let mut connection = Connection::open(server.address);
    let head = delivery().head("Content-Length: 100000\r\n").len();
    connection.send(&bytes[..head]);
    trickle(&mut connection, &bytes[head..]);
    let response = connection.receive();
    (response.status, response.body)
}

#[test]
fn without_a_timeout_a_slow_body_is_waited_for_and_others_are_served() {
    let (servers, handled) = all(&verifier());
    for server in &servers {
        let bytes = delivery().with_content_length();
        let (start, rest) = bytes.split_at(bytes.len() - 1);
        let mut connections = [(); 100].map(|()| Connection::open(server.address));
        for connection in &mut connections {
            connection.send(start);
        }
        assert!(!connections[0].is_answered_within(LIMIT), "{}", server.name);
        assert_eq!(exchange(server.address, &bytes).status, 200, "{}", server.name);
        for connection in &mut connections {
            assert_eq!(connection.send(rest).receive().status, 200, "{}", server.name);
        }
    }
    assert_eq!(handled.count(), 303);
}

#[test]
fn the_body_timeout_layer_rejects_a_body_that_stops() {
    let handled = Handled::default();
    let server = axum(&handled, |router| router.layer(RequestBodyTimeoutLayer::new(LIMIT)));
    let [stops, _] = slow_bodies();
    let mut connection = Connection::open(server.address);
    let response = connection.send(&stops).receive();
    assert_eq!((response.status, &*response.detail()), (400, "Webhook body could not be read"));
    assert_eq!(exchange(server.address, &delivery().with_content_length()).status, 200);
    assert_eq!(handled.count(), 1);
}

#[test]
fn the_timeout_layer_and_the_body_timeout_of_actix_end_every_slow_body() {
    let handled = Handled::default();
    let layer = TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, LIMIT);
    let axum = axum(&handled, |router| router.layer(layer));
    let [actix, wrapped] = actix_with_limit(&handled);
    for bytes in slow_bodies() {
        assert_eq!(answer_to(&axum, &bytes), (408, Vec::new()));
        for server in [&actix, &wrapped] {
            let (status, body) = answer_to(server, &bytes);
            assert_eq!(status, 400);
            let body = String::from_utf8_lossy(&body);
            assert!(body.contains("Webhook body could not be read"), "{body}");
        }
    }
    for server in [&axum, &actix, &wrapped] {
        assert_eq!(exchange(server.address, &delivery().with_content_length()).status, 200);
    }
    assert_eq!(handled.count(), 3);
}

#[test]
fn both_timeout_layers_together_end_every_slow_body() {
    let handled = Handled::default();
    let all = TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, 3 * LIMIT);
    let server =
        axum(&handled, |router| router.layer(RequestBodyTimeoutLayer::new(LIMIT)).layer(all));
    let statuses = slow_bodies().map(|bytes| answer_to(&server, &bytes).0);
    assert_eq!(statuses, [400, 408]);
    assert_eq!(exchange(server.address, &delivery().with_content_length()).status, 200);
    assert_eq!(handled.count(), 1);
}

#[test]
fn a_timeout_does_not_affect_a_body_that_arrives_in_time() {
    let handled = Handled::default();
    let layer = TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, LIMIT);
    let layered = |router: Router| router.layer(RequestBodyTimeoutLayer::new(LIMIT)).layer(layer);
    let [actix, wrapped] = actix_with_limit(&handled);
    for server in [axum(&handled, layered), actix, wrapped] {
        let bytes = delivery().with_content_length();
        let (start, rest) = bytes.split_at(bytes.len() - 2);
        let mut connection = Connection::open(server.address);
        connection.send(start);
        trickle(&mut connection, rest);
        assert_eq!(connection.receive().status, 200, "{}", server.name);
    }
    assert_eq!(handled.count(), 3);
}

#[test]
fn a_slow_head_is_ended_by_actix_itself() {
    let handled = Handled::default();
    // Its clock ticks only twice a second, so a shorter timeout could expire at once.
    let settings = Actix { head_timeout: Duration::from_secs(1), ..Actix::default() };
    let server = Server::actix_as(settings, actix_app(verifier(), handled.clone()));
    let mut connection = Connection::open(server.address);
    trickle(&mut connection, &delivery().header("X-Long", vec![b'x'; 1000]).head(""));
    assert_eq!(connection.receive().status, 408);
    assert_eq!(exchange(server.address, &delivery().with_content_length()).status, 200);
    assert_eq!(handled.count(), 1);
}

#[tokio::test]
async fn a_slow_head_is_ended_by_hypers_header_read_timeout() {
    let handled = Handled::default();
    let router = axum_router(verifier(), handled.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(router.clone());
            tokio::spawn(
                hyper::server::conn::http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(LIMIT)
                    .serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    let answers = tokio::task::spawn_blocking(move || {
        let mut connection = Connection::open(address);
        trickle(&mut connection, &delivery().header("X-Long", vec![b'x'; 1000]).head(""));
        let slow = connection.receive_or_close();
        (slow, exchange(address, &delivery().with_content_length()).status)
    });
    let answers = answers.await.unwrap();
    server.abort();
    assert_eq!((answers, handled.count()), ((None, 200), 1));
}
