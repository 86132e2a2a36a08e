//! What clients do wrong, by mistake or on purpose, over real sockets. (More is in `connection`.)

mod abort;
mod compressed;
mod framing;
mod http2;
mod slow;
mod smuggling;
mod windows;

use std::sync::mpsc::{Receiver, Sender, channel};

use actix_web::web::{ServiceConfig, scope};
use axum::{extract::Request, middleware::Next};
use pierre_webhook_core::Verifier;
use pierre_webhook_tests::{
    client::PATIENCE,
    server::{Actix, Handled, Server, actix_app, axum_router, wrapped_app},
};

/// A server that reports when a request has ended: answered or dropped.
struct Watched {
    server: Server,
    ends: Receiver<()>,
    handled: Handled,
}

impl Watched {
    fn assert_ended(&self, count: usize) {
        for end in 0..count {
            let ended = self.ends.recv_timeout(PATIENCE);
            assert!(ended.is_ok(), "{}: {end} requests of {count} ended", self.server.name);
        }
        assert!(self.ends.try_recv().is_err(), "{}: more than {count} ended", self.server.name);
    }
}

/// Reports when it is dropped.
struct End(Sender<()>);

impl Drop for End {
    fn drop(&mut self) {
        // The test may have ended before the request.
        self.0.send(()).unwrap_or(());
    }
}

/// Starts a server for each adapter. All speak HTTP/1 and HTTP/2.
fn watched(verifier: &Verifier) -> [Watched; 3] {
    let handled = Handled::default();
    let (sender, ends) = channel();
    let watch = move |request: Request, next: Next| {
        let end = End(sender.clone());
        async move {
            let response = next.run(request).await;
            drop(end);
            response
        }
    };
    let router = axum_router(verifier.clone(), handled.clone());
    let router = router.layer(axum::middleware::from_fn(watch));
    let axum = Watched { server: Server::axum(router), ends, handled };

    let (extracting, wrapped) = (Handled::default(), Handled::default());
    [
        axum,
        watched_actix(actix_app(verifier.clone(), extracting.clone()), extracting),
        watched_actix(wrapped_app(verifier.clone(), wrapped.clone()), wrapped),
    ]
}

fn watched_actix(
    app: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    handled: Handled,
) -> Watched {
    let (sender, ends) = channel();
    let settings = Actix { speaks_http2: true, ..Actix::default() };
    let server = Server::actix_as(settings, move |config| {
        let sender = sender.clone();
        config.service(scope("").configure(&app).wrap_fn(move |request, service| {
            let end = End(sender.clone());
            let response = actix_web::dev::Service::call(service, request);
            async move {
                let response = response.await;
                drop(end);
                response
            }
        }));
    });
    Watched { server, ends, handled }
}
