//! The least that a layer of this kind can do, written for a single body type and without any rejection.

use std::{
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::{Body, Bytes, HttpBody};
use http::Request;
use pierre_webhook_core::{DeliveryHeaders, Verifier};
use pierre_webhook_tower::Webhook;
use tower_layer::Layer;
use tower_service::Service;

#[derive(Clone)]
pub(crate) enum Least {
    Passes,
    Reads,
    Verifies(Verifier),
}

#[derive(Clone)]
pub(crate) struct LeastLayer(pub(crate) Least);

impl<S> Layer<S> for LeastLayer {
    type Service = LeastService<S>;

    fn layer(&self, inner: S) -> LeastService<S> {
        LeastService { inner, least: self.0.clone() }
    }
}

#[derive(Clone)]
pub(crate) struct LeastService<S> {
    inner: S,
    least: Least,
}

impl<S> Service<Request<Body>> for LeastService<S>
where
    S: Service<Request<Body>> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> S::Future {
        if let Least::Passes = self.least {
            return self.inner.call(request);
        }
        // A layer whose work may wait must clone the service. (Here the body is ready at once, which saves a future.)
        let next = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, next);
        let body = read(mem::take(request.body_mut()));
        *request.body_mut() = Body::from(body.clone());
        if let Least::Verifies(verifier) = &self.least {
            let headers = DeliveryHeaders::parse(request.headers()).expect("headers");
            let delivery = verifier.verify(&headers, body).expect("a delivery");
            request.extensions_mut().insert(Webhook::from(delivery));
        } else {
            request.extensions_mut().insert(body);
        }
        inner.call(request)
    }
}

/// Returns the only frame of a body.
fn read(mut body: Body) -> Bytes {
    let mut cx = Context::from_waker(std::task::Waker::noop());
    match Pin::new(&mut body).poll_frame(&mut cx) {
        Poll::Ready(Some(Ok(frame))) => frame.into_data().expect("data"),
        _ => panic!("a body in one frame"),
    }
}
