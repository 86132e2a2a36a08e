//! The receiver as a tower service.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use pierre_webhook_tower::{ResponseBody, VerifiedBody, Webhook};
use tower_service::Service;

use super::Receiver;
use crate::answer::Answer;

impl<B> Service<Request<B>> for Receiver {
    type Response = Response<ResponseBody<VerifiedBody>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let receiver = self.clone();
        let webhook = request.extensions().get::<Webhook>().cloned();
        Box::pin(async move {
            let answer = match webhook {
                Some(webhook) => receiver.store(&webhook).await,
                None => Answer::NotVerified,
            };
            Ok(respond(answer))
        })
    }
}

fn respond(answer: Answer) -> Response<ResponseBody<VerifiedBody>> {
    let mut response = Response::new(ResponseBody::from_bytes(answer.body()));
    *response.status_mut() =
        StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers() {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
    response
}
