//! The extractor.

use std::{
    fmt,
    future::poll_fn,
    ops::Deref,
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError,
    dev::Payload,
    http::{StatusCode, Version, header},
    rt::time::{Sleep, sleep},
};
use pierre_webhook_core::{Delivery, DeliveryHeaders, Error, PendingDelivery};

use crate::{
    config::WebhookConfig,
    rejected::Rejected,
    rejection::{Rejection, problem},
    trace::{trace, trace_rejection},
    unread::UnreadBody,
};

/// Extracts a verified delivery. Requests that aren't one are rejected before the handler runs.
///
/// It needs a [`WebhookConfig`] in `app_data`. It takes the request's payload, so a second extractor of the body finds
/// nothing. It reads the raw bytes, never decompressed ones, because the raw bytes are signed.
///
/// # Security
///
/// Take a plain `Webhook`. With `Option<Webhook>` or `Result<Webhook, _>`, which actix gives to every extractor, the
/// handler also runs for forged requests. A handler that takes no `Webhook` at all verifies nothing. The other
/// extractors of a handler run for requests that nobody has verified yet.
///
/// To test a handler, sign a body and verify it:
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
    /// Returns the delivery.
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
        let mut body = UnreadBody::new(payload.take());
        Box::pin(async move {
            let mistake = |error: actix_web::Error| {
                trace(StatusCode::INTERNAL_SERVER_ERROR, &error, None, request.headers());
                error
            };
            let config = WebhookConfig::of(&request).map_err(|missing| mistake(missing.into()))?;
            if body.was_taken() && has_body(&request) {
                return Err(mistake(WebhookBodyTaken.into()));
            }
            match receive(&request, &mut body, config).await {
                Ok(delivery) => Ok(delivery.into()),
                Err(rejection) => {
                    trace_rejection(&rejection, request.headers());
                    let error = config.error(rejection.clone(), &request);
                    Err(Rejected { error, rejection }.into())
                }
            }
        })
    }
}

async fn receive(
    request: &HttpRequest,
    body: &mut UnreadBody,
    config: &WebhookConfig,
) -> Result<Delivery, Rejection> {
    let headers = DeliveryHeaders::parse(request.headers())?;
    let limit = config.time_limit();
    let mut deadline = pin!(None);
    let found = in_time(limit, deadline.as_mut(), config.find(request)).await;
    let found = found.unwrap_or_else(|| Err(Rejection::look_up_timed_out()))?;
    let verifier = found.ok_or(Error::InvalidSignature)?;
    let tenant = verifier.tenant_name().cloned();
    let of_tenant = |rejection: Rejection| rejection.of(tenant);
    let mut pending = match verifier.begin_owned(&headers) {
        Ok(pending) => pending,
        Err(error) => return Err(of_tenant(error.into())),
    };
    let received = in_time(limit, deadline, read(body, &mut pending)).await;
    match received.unwrap_or_else(|| Err(Rejection::body_timed_out())) {
        Ok(()) => pending.finish().map_err(|error| of_tenant(error.into())),
        Err(rejection) => Err(of_tenant(rejection)),
    }
}

async fn read(body: &mut UnreadBody, pending: &mut PendingDelivery) -> Result<(), Rejection> {
    while let Some(chunk) = body.next().await {
        pending.push(chunk.map_err(Rejection::unreadable)?)?;
    }
    Ok(())
}

/// Awaits the future. Returns `None` if the deadline comes first. The timer starts with the first wait, so a request
/// that has already arrived completely needs no timer.
async fn in_time<T>(
    limit: Duration,
    mut deadline: Pin<&mut Option<Sleep>>,
    future: impl Future<Output = T>,
) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        if deadline.is_none() {
            deadline.set(Some(sleep(limit)));
        }
        match deadline.as_mut().as_pin_mut() {
            Some(deadline) => deadline.poll(cx).map(|()| None),
            None => Poll::Pending,
        }
    })
    .await
}

/// Whether the request was sent with a body. Over HTTP/2 that isn't known, so the answer is yes.
fn has_body(request: &HttpRequest) -> bool {
    let length =
        || request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse::<u64>().ok();
    request.version() == Version::HTTP_2
        || request.chunked().is_ok_and(|is_chunked| is_chunked)
        || length().is_some_and(|length| length > 0)
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

impl std::error::Error for WebhookBodyTaken {}

impl ResponseError for WebhookBodyTaken {
    fn status_code(&self) -> StatusCode {
        StatusCode::INTERNAL_SERVER_ERROR
    }

    fn error_response(&self) -> HttpResponse {
        problem(self, "webhook_body_taken")
    }
}
