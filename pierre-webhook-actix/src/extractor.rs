//! The extractor.

use std::{error::Error, fmt, pin::Pin};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError, dev::Payload,
    http::StatusCode,
};

use crate::{
    config::{NOT_CONFIGURED, WebhookConfig},
    rejection::problem,
    unread::UnreadBody,
    verification::{BODY_TAKEN, mistake, verify},
    webhook::Webhook,
};

impl FromRequest for Webhook {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, actix_web::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        // The middleware has verified the request, and has left the payload to the other extractors.
        if let Some(webhook) = request.extensions().get::<Self>().cloned() {
            return Box::pin(async { Ok(webhook) });
        }
        let request = request.clone();
        let body = UnreadBody::new(payload.take());
        Box::pin(async move {
            match WebhookConfig::of(&request) {
                Ok(config) => verify(&request, body, config, WebhookBodyTaken).await,
                Err(missing) => Err(mistake(NOT_CONFIGURED, missing, &request)),
            }
        })
    }
}

/// The error of the [`Webhook`] extractor if another extractor took the body first. The response is a 500 that says
/// so.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct WebhookBodyTaken;

impl fmt::Display for WebhookBodyTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Webhook body was taken by another extractor: take Webhook first")
    }
}

impl Error for WebhookBodyTaken {}

impl ResponseError for WebhookBodyTaken {
    fn status_code(&self) -> StatusCode {
        StatusCode::INTERNAL_SERVER_ERROR
    }

    fn error_response(&self) -> HttpResponse {
        problem(self, BODY_TAKEN)
    }
}
