//! From a request to a verified delivery, for the extractor and the middleware alike.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};

use actix_web::{
    HttpMessage, HttpRequest, ResponseError,
    http::{Version, header},
    rt::time::{Sleep, sleep},
};
use pierre_webhook_core::{Delivery, DeliveryHeaders, Error, PendingDelivery};

use crate::{
    config::WebhookConfig, observe, rejected::Rejected, rejection::Rejection, unread::UnreadBody,
    webhook::Webhook,
};

/// The code of a request whose body was taken before it was verified.
pub(crate) const BODY_TAKEN: &str = "webhook_body_taken";

/// Verifies a request. The error makes the response: that of a rejection, or `taken` if the request was sent with a
/// body that is no longer there.
pub(crate) async fn verify(
    request: &HttpRequest,
    mut body: UnreadBody,
    config: &WebhookConfig,
    taken: impl ResponseError + 'static,
) -> Result<Webhook, actix_web::Error> {
    if body.was_taken() && has_body(request) {
        return Err(mistake(BODY_TAKEN, taken, request));
    }
    match receive(request, &mut body, config).await {
        Ok(delivery) => {
            let webhook = delivery.into();
            observe::accepted(&webhook);
            Ok(webhook)
        }
        Err(rejection) => {
            observe::rejected(&rejection, request.headers());
            let error = config.error(rejection.clone(), request);
            Err(Rejected { error, rejection }.into())
        }
    }
}

/// Logs a mistake in the configuration of a route, and returns the error that makes the response.
pub(crate) fn mistake(
    code: &'static str,
    mistake: impl ResponseError + 'static,
    request: &HttpRequest,
) -> actix_web::Error {
    observe::misconfigured(code, &mistake, request.headers());
    mistake.into()
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
