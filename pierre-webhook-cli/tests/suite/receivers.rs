//! Real axum and actix receivers at `/webhooks`, on free ports.

use std::{
    net::{SocketAddr, TcpListener},
    sync::mpsc::channel,
    thread,
};

use actix_web::{App, HttpServer, web};
use axum::{Router, routing::post};
use pierre_webhook_core::{Secret, Verifier};

use crate::command::SECRET;

/// Returns the name of each framework, and the URL of its receiver.
pub(crate) fn both() -> [(&'static str, String); 2] {
    let verifier = Verifier::new(Secret::new(SECRET).unwrap());
    [("axum", url(axum(verifier.clone()))), ("actix", url(actix(verifier)))]
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}/webhooks")
}

// The threads end with the test process.

fn axum(verifier: Verifier) -> SocketAddr {
    use pierre_webhook_tower::{VerifyWebhookLayer, Webhook};

    let receive = async |webhook: Webhook| webhook.event_type().to_owned();
    let layer = VerifyWebhookLayer::new(verifier);
    let app = Router::new().route("/webhooks", post(receive).route_layer(layer));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    thread::spawn(move || {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, app).await.unwrap();
        });
    });
    address
}

fn actix(verifier: Verifier) -> SocketAddr {
    use pierre_webhook_actix::{Webhook, WebhookConfig};

    let config = WebhookConfig::new(verifier);
    let (sender, address) = channel();
    thread::spawn(move || {
        actix_web::rt::System::new().block_on(async {
            let receive = async |webhook: Webhook| webhook.event_type().to_owned();
            let app = move || {
                App::new().app_data(config.clone()).route("/webhooks", web::post().to(receive))
            };
            let server = HttpServer::new(app).workers(1).disable_signals();
            let server = server.bind("127.0.0.1:0").unwrap();
            sender.send(server.addrs()[0]).unwrap();
            server.run().await.unwrap();
        });
    });
    address.recv().unwrap()
}
