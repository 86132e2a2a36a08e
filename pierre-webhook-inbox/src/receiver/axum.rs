//! The receiver as an axum handler.

use std::pin::Pin;

use axum::{body::Body, extract::Request, handler::Handler, response::Response};
use tower_service::Service;

use super::Receiver;

impl<S> Handler<(), S> for Receiver {
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(mut self, request: Request, _: S) -> Self::Future {
        Box::pin(async move {
            let Ok(response) = Service::call(&mut self, request).await;
            response.map(Body::new)
        })
    }
}
