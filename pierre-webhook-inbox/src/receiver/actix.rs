//! The receiver as an actix handler.

use std::pin::Pin;

use actix_web::{Handler, HttpResponse, http::StatusCode};
use pierre_webhook_actix::Webhook;

use super::Receiver;

impl Handler<(Webhook,)> for Receiver {
    type Output = HttpResponse;
    type Future = Pin<Box<dyn Future<Output = HttpResponse>>>;

    fn call(&self, (webhook,): (Webhook,)) -> Self::Future {
        let receiver = self.clone();
        Box::pin(async move {
            let answer = receiver.store(&webhook).await;
            let status =
                StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut response = HttpResponse::build(status);
            for header in answer.headers() {
                response.insert_header(header);
            }
            response.body(answer.body())
        })
    }
}
