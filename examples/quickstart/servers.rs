//! An axum server and an actix server on loopback, each on a port that the system chooses.

use std::{
    error::Error,
    io, mem,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use actix_web::{App, HttpResponse, HttpServer, web};
use axum::{Router, extract::State, http::StatusCode, routing::post};
use pierre_webhook_actix::WebhookConfig;
use pierre_webhook_inbox::Inbox;
use pierre_webhook_tower::{Verifier, VerifyWebhookLayer};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use tower_http::timeout::TimeoutLayer;

use crate::describe::describe;

/// From a request's head to its response: the whole body, and the handler.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

const LOOPBACK: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    /// What its handler saw.
    pub(crate) seen: Seen,
    end: oneshot::Sender<()>,
    serving: JoinHandle<io::Result<()>>,
}

impl Server {
    pub(crate) async fn axum(verifier: Verifier) -> Result<Self, Box<dyn Error>> {
        async fn receive(
            State(seen): State<Seen>,
            webhook: pierre_webhook_tower::Webhook,
        ) -> StatusCode {
            seen.add(describe(&webhook.event));
            StatusCode::NO_CONTENT
        }

        let seen = Seen::default();
        // Outermost first: it bounds how long the layer waits for a body.
        let timeout = TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIMEOUT);
        let app = Router::new()
            .route("/webhooks", post(receive))
            .layer((timeout, VerifyWebhookLayer::new(verifier)))
            .with_state(seen.clone());

        Self::serve_axum("axum", app, seen).await
    }

    /// An axum server that stores deliveries in an inbox. What it has seen is what the inbox's worker adds.
    pub(crate) async fn inbox(
        verifier: Verifier,
        inbox: &Inbox,
        seen: Seen,
    ) -> Result<Self, Box<dyn Error>> {
        let timeout = TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIMEOUT);
        let app = Router::new()
            .route("/webhooks", post(inbox.receiver()))
            .layer((timeout, VerifyWebhookLayer::new(verifier)));
        Self::serve_axum("inbox", app, seen).await
    }

    async fn serve_axum(
        name: &'static str,
        app: Router,
        seen: Seen,
    ) -> Result<Self, Box<dyn Error>> {
        let (end, told_to_end) = oneshot::channel();
        let listener = TcpListener::bind(LOOPBACK).await?;
        let address = listener.local_addr()?;
        let serving = tokio::spawn(async {
            axum::serve(listener, app).with_graceful_shutdown(either_way(told_to_end)).await
        });
        Ok(Self { name, address, seen, end, serving })
    }

    pub(crate) async fn actix(verifier: Verifier) -> Result<Self, Box<dyn Error>> {
        async fn receive(
            seen: web::Data<Seen>,
            webhook: pierre_webhook_actix::Webhook,
        ) -> HttpResponse {
            seen.add(describe(&webhook.event));
            HttpResponse::NoContent().finish()
        }

        let seen = Seen::default();
        let config = WebhookConfig::new(verifier);
        let state = web::Data::new(seen.clone());
        let app = move || {
            App::new()
                .app_data(config.clone())
                .app_data(state.clone())
                .route("/webhooks", web::post().to(receive))
        };

        let (end, told_to_end) = oneshot::channel();
        let server = HttpServer::new(app)
            .workers(1)
            .shutdown_signal(either_way(told_to_end))
            .bind(LOOPBACK)?;
        let address = *server.addrs().first().ok_or("actix bound no address")?;
        let serving = tokio::spawn(server.run());
        Ok(Self { name: "actix", address, seen, end, serving })
    }

    /// Ends the server, once what it was asked is answered.
    pub(crate) async fn end(self) -> Result<(), Box<dyn Error>> {
        drop(self.end);
        Ok(self.serving.await??)
    }
}

/// Resolves when the sender is used or dropped.
async fn either_way(told: oneshot::Receiver<()>) {
    let _ = told.await;
}

/// What a handler saw since it was last asked.
#[derive(Clone, Default)]
pub(crate) struct Seen {
    lines: Arc<Mutex<Vec<String>>>,
}

impl Seen {
    pub(crate) fn add(&self, line: String) {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    pub(crate) fn take(&self) -> Vec<String> {
        mem::take(&mut self.lines.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
