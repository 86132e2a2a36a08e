use std::{fmt, future::poll_fn, ops::Deref, pin::Pin};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError,
    dev::Payload,
    http::{StatusCode, Version, header},
};
use futures_core::Stream;
use pierre_webhook_core::{Delivery, DeliveryHeaders, Error, PendingDelivery};

use crate::{
    config::WebhookConfig,
    refused::Refused,
    rejection::{Rejection, problem},
    trace::{trace, trace_refusal},
};

/// Extracts a verified delivery; a request that is none is answered before the handler runs.
///
/// It needs a [`WebhookConfig`] in `app_data`, and takes the request's payload: a second extractor of the
/// body finds none. The raw bytes are read, never decompressed ones, since they are what is signed.
///
/// # Security
///
/// Take a plain `Webhook`. Actix gives each extractor two more forms, `Option<Webhook>` and
/// `Result<Webhook, _>`, with which the handler runs for forged requests too; and a handler that takes no
/// `Webhook` at all verifies nothing.
///
/// In a test of a handler, sign a body and verify it:
///
/// ```
/// use actix_web::{HttpResponse, rt::System};
/// use pierre_webhook_actix::{
///     DeliveryHeaders, EVENT_HEADER, SIGNATURE_HEADER, Secret, Verifier, Webhook,
/// };
///
/// async fn receive(webhook: Webhook) -> HttpResponse {
///     HttpResponse::Ok().body(webhook.event_type().to_owned())
/// }
///
/// let secret = Secret::new("test")?;
/// let signature = secret.sign(1_790_000_000, b"{}");
/// let headers = DeliveryHeaders::parse([(SIGNATURE_HEADER, &*signature), (EVENT_HEADER, "ping")])?;
/// let delivery = Verifier::new(secret).any_age().verify(&headers, "{}".into())?;
///
/// let response = System::new().block_on(receive(Webhook::from(delivery)));
/// assert_eq!(response.status(), 200);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Webhook {
    delivery: Delivery,
}

impl Webhook {
    /// The delivery itself.
    pub fn into_inner(self) -> Delivery {
        self.delivery
    }
}

impl From<Delivery> for Webhook {
    fn from(delivery: Delivery) -> Self {
        Self { delivery }
    }
}

impl Deref for Webhook {
    type Target = Delivery;

    fn deref(&self) -> &Delivery {
        &self.delivery
    }
}

impl FromRequest for Webhook {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, actix_web::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let mut payload = payload.take();
        Box::pin(async move {
            let mistake = |error: actix_web::Error| {
                trace(StatusCode::INTERNAL_SERVER_ERROR, &error, request.headers());
                error
            };
            let config = match WebhookConfig::of(&request) {
                Ok(config) => config,
                Err(missing) => {
                    return Err(Refused::new(mistake(missing.into()), None, payload).into());
                }
            };
            if was_taken(&request, &payload) {
                return Err(mistake(WebhookBodyTaken.into()));
            }
            match receive(&request, &mut payload, config).await {
                Ok(delivery) => Ok(delivery.into()),
                Err(rejection) => {
                    trace_refusal(&rejection, request.headers());
                    let error = config.error(rejection.clone(), &request);
                    Err(Refused::new(error, Some(rejection), payload).into())
                }
            }
        })
    }
}

async fn receive(
    request: &HttpRequest,
    payload: &mut Payload,
    config: &WebhookConfig,
) -> Result<Delivery, Rejection> {
    let headers = DeliveryHeaders::parse(request.headers())?;
    let verifier = config.find(request).await?.ok_or(Error::InvalidSignature)?;
    let mut pending = verifier.begin(&headers)?;
    config.in_time(read(payload, &mut pending)).await?;
    Ok(pending.finish()?)
}

async fn read(payload: &mut Payload, pending: &mut PendingDelivery) -> Result<(), Rejection> {
    while let Some(chunk) = poll_fn(|cx| Pin::new(&mut *payload).poll_next(cx)).await {
        pending.push(chunk.map_err(Rejection::unreadable)?)?;
    }
    Ok(())
}

/// Whether another extractor has the body. A request without one has no payload either, but over HTTP/2,
/// where the server cannot know that beforehand.
fn was_taken(request: &HttpRequest, payload: &Payload) -> bool {
    let length =
        || request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse::<u64>().ok();
    matches!(payload, Payload::None)
        && (request.version() == Version::HTTP_2
            || request.chunked().is_ok_and(|is_chunked| is_chunked)
            || length().is_some_and(|length| length > 0))
}

/// A handler takes the body, or another extractor of it, before its [`Webhook`]: a mistake in the wiring,
/// answered with 500.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct WebhookBodyTaken;

impl fmt::Display for WebhookBodyTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Webhook body was taken by another extractor: take Webhook first")
    }
}

impl std::error::Error for WebhookBodyTaken {}

impl ResponseError for WebhookBodyTaken {
    fn status_code(&self) -> StatusCode {
        StatusCode::INTERNAL_SERVER_ERROR
    }

    fn error_response(&self) -> HttpResponse {
        problem(self)
    }
}
