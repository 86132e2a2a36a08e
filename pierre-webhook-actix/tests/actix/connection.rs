//! Connections whose body is still being sent when the response is written.

use std::{io::Write, net::TcpStream, time::Duration};

use actix_web::web;
use pierre_webhook_actix::{Webhook, WebhookConfig};
use pierre_webhook_tests::{
    client::{Connection, Request},
    sample::{NOW, delivery, secret, verifier},
    server::Server,
};

#[test]
fn actix_closes_the_connection_if_the_body_is_late_or_the_config_is_missing() {
    async fn receive(_: Webhook) -> &'static str {
        "handled"
    }
    let config = WebhookConfig::new(verifier()).timeout(Duration::from_millis(200));
    let server = Server::actix(move |app| {
        app.service(
            web::scope("/slow").app_data(config.clone()).route("", web::post().to(receive)),
        )
        .route("/bare", web::post().to(receive));
    });
    for (path, status, text) in [
        ("/slow", 400, "Webhook body could not be read"),
        ("/bare", 500, "Webhook is not configured: add WebhookConfig to app_data"),
    ] {
        let mut connection = Connection::open(server.address);
        let head = delivery().path(path).head("Transfer-Encoding: chunked\r\n");
        let response = connection.send(&head).send(b"1\r\n{\r\n").receive();
        assert_eq!((response.status, &*response.detail()), (status, text));
        connection.assert_is_closed_by(&server);
    }
}

#[test]
fn actix_closes_the_connection_on_an_unread_body_whatever_made_the_response() {
    use actix_web::middleware::{ErrorHandlerResponse, ErrorHandlers};
    let config = WebhookConfig::new(verifier());
    let server = Server::actix(move |app| {
        let replaced = ErrorHandlers::new().default_handler(|response| {
            let (request, response) = response.into_parts();
            let status = response.status();
            let response = actix_web::HttpResponse::build(status).body("replaced");
            let response = actix_web::dev::ServiceResponse::new(request, response);
            Ok(ErrorHandlerResponse::Response(response.map_into_right_body()))
        });
        let asks_for_the_result = async |webhook: Result<Webhook, actix_web::Error>| {
            assert!(webhook.is_err());
            "handled"
        };
        let answers_late = async |webhook: Result<Webhook, actix_web::Error>| {
            assert!(webhook.is_err());
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            "handled"
        };
        app.app_data(config.clone())
            .service(
                web::resource("/replaced")
                    .wrap(replaced)
                    .route(web::post().to(async |_: Webhook| "")),
            )
            .route("/result", web::post().to(asks_for_the_result))
            .route("/late", web::post().to(answers_late))
            .route("/number/{n}", web::post().to(async |_: web::Path<u32>, _: Webhook| ""));
    });
    for (path, status) in [("/replaced", 401), ("/result", 200), ("/late", 200), ("/number/x", 404)]
    {
        let stale = secret().sign(NOW - 301, b"");
        let head = Request::delivery("ping", &stale, "").path(path);
        let head = head.head("Transfer-Encoding: chunked\r\n");
        let mut connection = Connection::open(server.address);
        assert_eq!(connection.send(&head).receive().status, status, "{path}");
        connection.assert_is_closed_by(&server);
    }
}

#[test]
fn actix_holds_a_sender_back_while_a_rejected_body_waits_for_a_late_response() {
    // Larger than all buffers between a client and a server on loopback.
    const TOO_MUCH: usize = 64 << 20;
    let never = async |webhook: Result<Webhook, actix_web::Error>| {
        assert!(webhook.is_err());
        std::future::pending::<&str>().await
    };
    let config = WebhookConfig::new(verifier());
    let server = Server::actix(move |app| {
        app.app_data(config.clone()).route("/never", web::post().to(never));
    });
    let stale = secret().sign(NOW - 301, b"");
    let head = Request::delivery("ping", &stale, "").path("/never");
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(&head.head("Transfer-Encoding: chunked\r\n")).unwrap();
    stream.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    let mut chunk = b"8000\r\n".to_vec();
    chunk.resize(chunk.len() + 0x8000, b' ');
    chunk.extend_from_slice(b"\r\n");
    let mut written = 0;
    while stream.write_all(&chunk).is_ok() {
        written += chunk.len();
        assert!(written < TOO_MUCH, "the server reads on without a pause");
    }
}
