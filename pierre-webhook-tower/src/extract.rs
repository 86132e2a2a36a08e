//! The axum extractor.

use axum_core::{
    body::Body,
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header::CONTENT_TYPE, request::Parts};

use crate::{observe, webhook::Webhook};

const CODE: &str = "webhook_not_verified";

impl<S: Sync> FromRequestParts<S> for Webhook {
    type Rejection = MissingVerifyWebhookLayer;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        parts.extensions.get().cloned().ok_or_else(|| {
            observe::miswired(CODE, &MissingVerifyWebhookLayer, &parts.headers);
            MissingVerifyWebhookLayer
        })
    }
}

/// The rejection of the [`Webhook`] extractor on a route without a
/// [`VerifyWebhookLayer`](crate::VerifyWebhookLayer). The response is a 500 that names what is missing.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct MissingVerifyWebhookLayer;

impl std::fmt::Display for MissingVerifyWebhookLayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Webhook is not verified: add VerifyWebhookLayer to this route")
    }
}

impl std::error::Error for MissingVerifyWebhookLayer {}

impl IntoResponse for MissingVerifyWebhookLayer {
    fn into_response(self) -> Response {
        let problem = pierre_webhook_core::problem_json(500, CODE, &self.to_string());
        let mut response = Response::new(Body::from(problem));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static(pierre_webhook_core::PROBLEM_JSON));
        response
    }
}
