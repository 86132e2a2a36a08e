//! The verification of one request: headers, lookup, body.

use std::{
    error::Error as StdError,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Buf;
use http::request::Parts;
use http_body::Body;
use pierre_webhook_core::{DeliveryHeaders, Error, FindVerifier, PendingDelivery, Verifier};
use pin_project_lite::pin_project;

use crate::{rejection::Rejection, webhook::Webhook};

pin_project! {
    #[project = VerificationProjection]
    #[project_replace = VerificationReplaced]
    pub(crate) enum Verification<L> {
        Starting,
        Finding {
            #[pin]
            look_up: L,
        },
        Receiving {
            pending: PendingDelivery,
        },
    }
}

impl<L> Verification<L> {
    /// Polls until the request is verified or rejected. Then it drops the body and everything else it holds.
    pub(crate) fn poll<V, ReqBody>(
        mut self: Pin<&mut Self>,
        finder: &V,
        parts: &Parts,
        mut body: Pin<&mut Option<ReqBody>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Webhook, Rejection>>
    where
        V: FindVerifier<Parts, Future = L>,
        L: Future<Output = Result<Option<Verifier>, V::Error>>,
        ReqBody: Body,
        ReqBody::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let verified = ready!(self.as_mut().poll_verify(finder, parts, body.as_mut(), cx));
        self.set(Self::Starting);
        body.set(None);
        Poll::Ready(verified)
    }

    fn poll_verify<V, ReqBody>(
        mut self: Pin<&mut Self>,
        finder: &V,
        parts: &Parts,
        mut body: Pin<&mut Option<ReqBody>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Webhook, Rejection>>
    where
        V: FindVerifier<Parts, Future = L>,
        L: Future<Output = Result<Option<Verifier>, V::Error>>,
        ReqBody: Body,
        ReqBody::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let mut parsed = None;
        loop {
            match self.as_mut().project() {
                VerificationProjection::Starting => {
                    let headers = DeliveryHeaders::parse(&parts.headers)?;
                    if let Some(verifier) = finder.without_lookup() {
                        let pending = begin(verifier, &headers)?;
                        self.set(Self::Receiving { pending });
                    } else {
                        parsed = Some(headers);
                        let look_up = finder.find(parts);
                        self.set(Self::Finding { look_up });
                    }
                }
                VerificationProjection::Finding { look_up } => {
                    let found = ready!(look_up.poll(cx));
                    let found = found.map_err(|error| Rejection::unavailable(error.into()))?;
                    let verifier = found.ok_or(Error::InvalidSignature)?;
                    // The headers borrow from the parts, so they are parsed again if the lookup was pending.
                    let headers = match parsed.take() {
                        Some(headers) => headers,
                        None => DeliveryHeaders::parse(&parts.headers)?,
                    };
                    let pending = begin(verifier, &headers)?;
                    // This drops the lookup, so whatever it holds (such as a connection) is free while the body
                    // arrives.
                    self.set(Self::Receiving { pending });
                }
                VerificationProjection::Receiving { pending } => {
                    ready!(poll_receive(pending, body.as_mut(), cx))
                        .map_err(|rejection| rejection.of(pending.tenant_name().cloned()))?;
                    if let VerificationReplaced::Receiving { pending } =
                        self.as_mut().project_replace(Self::Starting)
                    {
                        let tenant = pending.tenant_name().cloned();
                        let delivery =
                            pending.finish().map_err(|error| Rejection::from(error).of(tenant))?;
                        return Poll::Ready(Ok(delivery.into()));
                    }
                }
            }
        }
    }
}

fn begin(verifier: Verifier, headers: &DeliveryHeaders<'_>) -> Result<PendingDelivery, Rejection> {
    let tenant = verifier.tenant_name().cloned();
    verifier.begin_owned(headers).map_err(|error| Rejection::from(error).of(tenant))
}

/// Feeds the whole body into the delivery.
fn poll_receive<ReqBody>(
    pending: &mut PendingDelivery,
    mut body: Pin<&mut Option<ReqBody>>,
    cx: &mut Context<'_>,
) -> Poll<Result<(), Rejection>>
where
    ReqBody: Body,
    ReqBody::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    while let Some(body) = body.as_mut().as_pin_mut()
        && let Some(frame) = ready!(body.poll_frame(cx))
    {
        let frame = frame.map_err(|error| Rejection::unreadable(error.into()))?;
        if let Ok(data) = frame.into_data() {
            push(pending, data)?;
        }
    }
    Poll::Ready(Ok(()))
}

/// Takes a whole frame, however many chunks it has.
fn push(pending: &mut PendingDelivery, mut data: impl Buf) -> Result<(), Rejection> {
    while data.has_remaining() {
        let length = data.chunk().len().min(data.remaining());
        if length == 0 {
            // A buffer that claims to have bytes left but returns none would loop forever.
            return Err(Error::BodyUnreadable.into());
        }
        pending.push(data.copy_to_bytes(length))?;
    }
    Ok(())
}
