//! Real servers on loopback, on a port that the system chooses. Each stops when its handle is dropped.

use std::{
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread::JoinHandle,
    time::Duration,
};

use actix_web::{App, HttpServer, dev::ServerHandle, web};
use axum::{Router, routing::post, serve::ListenerExt};
use pierre_webhook_core::{Delivery, Verifier};
use serde_json::{Value, json};
use tokio::{runtime::Runtime, sync::oneshot};

/// A running server.
pub struct Server {
    pub name: &'static str,
    pub address: SocketAddr,
    stop: Option<Box<dyn FnOnce() + Send>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn axum(router: Router) -> Self {
        let listener = listener();
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            Runtime::new().expect("a runtime").block_on(async move {
                listener.set_nonblocking(true).expect("a socket");
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                // Like actix. Otherwise small responses to pipelined requests would wait for each other.
                let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap_or(()));
                tokio::select! {
                    result = axum::serve(listener, router) => result.expect("a server"),
                    _ = stopped => {}
                }
            });
        });
        let stop = Box::new(move || stop.send(()).unwrap_or(()));
        Self { name: "axum", address, stop: Some(stop), thread: Some(thread) }
    }

    pub fn actix(configure: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static) -> Self {
        Self::actix_as(Actix::default(), configure)
    }

    pub fn actix_as(
        settings: Actix,
        configure: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
    ) -> Self {
        let listener = listener();
        let address = listener.local_addr().expect("an address");
        let (handles, handle) = mpsc::channel::<ServerHandle>();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = HttpServer::new(move || App::new().configure(configure.clone()))
                    .workers(2)
                    .client_request_timeout(settings.head_timeout)
                    .disable_signals();
                let server = match settings.speaks_http2 {
                    true => server.listen_auto_h2c(listener),
                    false => server.listen(listener),
                };
                let server = server.expect("a listener").run();
                handles.send(server.handle()).expect("a test that waits");
                server.await.expect("a server");
            });
        });
        let handle = handle.recv().expect("a server");
        let stop = Box::new(move || drop(handle.stop(false)));
        Self { name: "actix", address, stop: Some(stop), thread: Some(thread) }
    }
}

/// The settings of an actix server.
#[derive(Clone, Copy, Debug)]
pub struct Actix {
    /// Also speak cleartext HTTP/2, detected by how a connection begins. (`axum::serve` always does.)
    pub speaks_http2: bool,
    /// `HttpServer::client_request_timeout`.
    pub head_timeout: Duration,
}

impl Default for Actix {
    /// Returns the defaults of actix.
    fn default() -> Self {
        Self { speaks_http2: false, head_timeout: Duration::from_secs(5) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop();
        }
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "the server panicked");
        }
    }
}

fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").expect("a free port")
}

/// Counts how often a handler ran.
#[derive(Clone, Debug, Default)]
pub struct Handled(Arc<AtomicUsize>);

impl Handled {
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// The test handler: counts the call, and responds with what it was given.
    pub fn handle(&self, delivery: &Delivery) -> Value {
        self.0.fetch_add(1, Ordering::SeqCst);
        json!({ "event": delivery.event_type(), "timestamp": delivery.signed_at })
    }
}

/// Starts a server for each adapter, with a verified route `POST /webhooks`: the layer in axum, and the extractor and
/// the middleware in actix. Their handlers share one counter.
pub fn all(verifier: &Verifier) -> ([Server; 3], Handled) {
    let handled = Handled::default();
    let servers = [
        axum_with(verifier.clone(), handled.clone()),
        actix_with(verifier.clone(), handled.clone()),
        wrapped_with(verifier.clone(), handled.clone()),
    ];
    (servers, handled)
}

/// Starts the axum server of [`all`], with any finder.
pub fn axum_with<V>(finder: V, handled: Handled) -> Server
where
    V: pierre_webhook_core::FindVerifier<http::request::Parts, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static,
{
    Server::axum(axum_router(finder, handled))
}

/// Returns the router of [`axum_with`], to add further layers.
pub fn axum_router<V>(finder: V, handled: Handled) -> Router
where
    V: pierre_webhook_core::FindVerifier<http::request::Parts, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static,
{
    use pierre_webhook_tower::{VerifyWebhookLayer, Webhook};

    let handler = async move |webhook: Webhook| handled.handle(&webhook).to_string();
    Router::new()
        .route("/webhooks", post(handler).layer(VerifyWebhookLayer::new(finder)))
        .fallback(async || http::StatusCode::IM_A_TEAPOT)
}

/// Starts the actix server of [`all`], with any finder.
pub fn actix_with<V>(finder: V, handled: Handled) -> Server
where
    V: pierre_webhook_core::FindVerifier<actix_web::HttpRequest, Future: 'static>
        + Send
        + Sync
        + 'static,
{
    Server::actix(actix_app(finder, handled))
}

/// Returns the app of [`actix_with`], for a server with other settings.
pub fn actix_app<V>(
    finder: V,
    handled: Handled,
) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static
where
    V: pierre_webhook_core::FindVerifier<actix_web::HttpRequest, Future: 'static>
        + Send
        + Sync
        + 'static,
{
    let resource = actix_resource(finder, handled);
    move |app| {
        app.service(resource())
            .default_service(web::to(async || actix_web::HttpResponse::ImATeapot()));
    }
}

/// Returns the resource of [`actix_with`], to wrap in further middleware.
pub fn actix_resource<V>(
    finder: V,
    handled: Handled,
) -> impl Fn() -> actix_web::Resource + Clone + Send + 'static
where
    V: pierre_webhook_core::FindVerifier<actix_web::HttpRequest, Future: 'static>
        + Send
        + Sync
        + 'static,
{
    use pierre_webhook_actix::{Webhook, WebhookConfig};

    let config = WebhookConfig::new(finder);
    move || {
        let handled = handled.clone();
        let handler = move |webhook: Webhook| {
            let answer = handled.handle(&webhook).to_string();
            async move { answer }
        };
        web::resource("/webhooks").app_data(config.clone()).route(web::post().to(handler))
    }
}

/// Starts the actix server of [`all`] that verifies in a middleware, with any finder.
pub fn wrapped_with<V>(finder: V, handled: Handled) -> Server
where
    V: pierre_webhook_core::FindVerifier<actix_web::HttpRequest, Future: 'static>
        + Send
        + Sync
        + 'static,
{
    let mut server = Server::actix(wrapped_app(finder, handled));
    server.name = "actix middleware";
    server
}

/// Returns the app of [`wrapped_with`], for a server with other settings.
pub fn wrapped_app<V>(
    finder: V,
    handled: Handled,
) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static
where
    V: pierre_webhook_core::FindVerifier<actix_web::HttpRequest, Future: 'static>
        + Send
        + Sync
        + 'static,
{
    let verify = pierre_webhook_actix::VerifyWebhook::new(finder);
    let handler = wrapped_handler(handled);
    move |app| {
        app.service(
            web::scope("/webhooks").wrap(verify.clone()).route("", web::post().to(handler.clone())),
        )
        .app_data(web::PayloadConfig::new(2 << 20))
        .default_service(web::to(async || actix_web::HttpResponse::ImATeapot()));
    }
}

/// The handler of [`wrapped_with`]. It checks that the body it reads is the verified one.
fn wrapped_handler(
    handled: Handled,
) -> impl Fn(pierre_webhook_actix::Webhook, web::Bytes) -> std::future::Ready<String> + Clone + Send
{
    move |webhook, body| {
        assert_eq!(webhook.body, body);
        std::future::ready(handled.handle(&webhook).to_string())
    }
}
