use std::{
    error::Error as StdError,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use http::{Request, Response, request::Parts};
use http_body::Body;
use pierre_webhook_core::{DeliveryHeaders, Error, FindVerifier, PendingDelivery, Verifier};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::{
    body::ResponseBody,
    rejection::{Rejection, RejectionResponse},
    trace::trace_refusal,
    webhook::Webhook,
};

pin_project! {
    /// The future of [`VerifyWebhook`](crate::VerifyWebhook): verifies, then calls the inner service or
    /// answers itself.
    ///
    /// It is polled again only when the look-up, the body or the inner service woke it.
    ///
    /// # Panics
    ///
    /// Where it is polled after it has answered.
    pub struct ResponseFuture<S, V, R, B, ReqBody>
    where
        S: Service<Request<B>>,
        V: FindVerifier<Parts>,
    {
        #[pin]
        stage: Stage<S, V, B, ReqBody>,
        respond: R,
    }
}

pin_project! {
    #[project = StageProjection]
    enum Stage<S, V, B, ReqBody>
    where
        S: Service<Request<B>>,
        V: FindVerifier<Parts>,
    {
        Verifying {
            inner: S,
            finder: V,
            parts: Option<Parts>,
            #[pin]
            look_up: Option<V::Future>,
            pending: Option<PendingDelivery>,
            #[pin]
            body: ReqBody,
        },
        Calling {
            #[pin]
            response: S::Future,
        },
        Done,
    }
}

impl<S, V, R, B, ReqBody> ResponseFuture<S, V, R, B, ReqBody>
where
    S: Service<Request<B>>,
    V: FindVerifier<Parts>,
{
    pub(crate) fn new(inner: S, finder: V, respond: R, request: Request<ReqBody>) -> Self {
        let (parts, body) = request.into_parts();
        let (parts, look_up, pending) = (Some(parts), None, None);
        Self { stage: Stage::Verifying { inner, finder, parts, look_up, pending, body }, respond }
    }
}

impl<S, V, R, B, ReqBody, ResBody> Future for ResponseFuture<S, V, R, B, ReqBody>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    V: FindVerifier<Parts>,
    R: RejectionResponse<ResBody>,
    B: From<Bytes>,
    ReqBody: Body,
    ReqBody::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    type Output = Result<Response<ResponseBody<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.stage.as_mut().project() {
                StageProjection::Verifying { inner, finder, parts, look_up, pending, body } => {
                    let Some(head) = parts else { unreachable!("they leave with the stage") };
                    let verified = ready!(poll_verify(finder, head, look_up, pending, body, cx));
                    // Only the parts are moved: the stage as a whole is three times as large.
                    let Some(parts) = parts.take() else {
                        unreachable!("they leave with the stage")
                    };
                    match verified {
                        Ok(webhook) => {
                            let body = B::from(webhook.body.clone());
                            let mut request = Request::from_parts(parts, body);
                            request.extensions_mut().insert(webhook);
                            let response = inner.call(request);
                            this.stage.set(Stage::Calling { response });
                        }
                        Err(rejection) => {
                            this.stage.set(Stage::Done);
                            trace_refusal(&rejection, &parts.headers);
                            let mut response = this.respond.respond(rejection.clone());
                            response.extensions_mut().insert(rejection);
                            return Poll::Ready(Ok(response));
                        }
                    }
                }
                StageProjection::Calling { response } => {
                    return response.poll(cx).map_ok(|response| response.map(ResponseBody::inner));
                }
                StageProjection::Done => unreachable!("`ResponseFuture` polled after completion"),
            }
        }
    }
}

fn poll_verify<V, ReqBody>(
    finder: &V,
    parts: &Parts,
    look_up: Pin<&mut Option<V::Future>>,
    pending: &mut Option<PendingDelivery>,
    mut body: Pin<&mut ReqBody>,
    cx: &mut Context<'_>,
) -> Poll<Result<Webhook, Rejection>>
where
    V: FindVerifier<Parts>,
    ReqBody: Body,
    ReqBody::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let receiving = match pending {
        Some(receiving) => receiving,
        None => {
            let (verifier, headers) = ready!(poll_find(finder, parts, look_up, cx))?;
            pending.insert(verifier.begin(&headers)?)
        }
    };
    while let Some(frame) = ready!(body.as_mut().poll_frame(cx)) {
        let frame = frame.map_err(|error| Rejection::unreadable(error.into()))?;
        if let Ok(data) = frame.into_data() {
            push(receiving, data)?;
        }
    }
    let delivery = pending.take().map_or(Err(Error::BodyUnreadable), PendingDelivery::finish)?;
    Poll::Ready(Ok(delivery.into()))
}

/// Finds the verifier, for the headers that are parsed before it is looked for.
fn poll_find<'a, V: FindVerifier<Parts>>(
    finder: &V,
    parts: &'a Parts,
    mut look_up: Pin<&mut Option<V::Future>>,
    cx: &mut Context<'_>,
) -> Poll<Result<(Verifier, DeliveryHeaders<'a>), Rejection>> {
    let mut headers = None;
    if look_up.is_none() {
        headers = Some(DeliveryHeaders::parse(&parts.headers)?);
        look_up.set(Some(finder.find(parts)));
    }
    let found = match look_up.as_mut().as_pin_mut() {
        Some(look_up) => ready!(look_up.poll(cx)),
        None => Ok(None),
    };
    // What it holds, a connection say, is free while the body comes.
    look_up.set(None);
    let found = found.map_err(|error| Rejection::unavailable(error.into()))?;
    let verifier = found.ok_or(Error::InvalidSignature)?;
    // They borrow from the parts, so that a look-up that was pending cost them.
    let headers = match headers {
        Some(headers) => headers,
        None => DeliveryHeaders::parse(&parts.headers)?,
    };
    Poll::Ready(Ok((verifier, headers)))
}

/// Takes a frame whole, whatever it is made of.
fn push(pending: &mut PendingDelivery, mut data: impl Buf) -> Result<(), Rejection> {
    while data.has_remaining() {
        let length = data.chunk().len().min(data.remaining());
        if length == 0 {
            // It would never end.
            return Err(Error::BodyUnreadable.into());
        }
        pending.push(data.copy_to_bytes(length))?;
    }
    Ok(())
}

impl<S, V, R, B, ReqBody> fmt::Debug for ResponseFuture<S, V, R, B, ReqBody>
where
    S: Service<Request<B>>,
    V: FindVerifier<Parts>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
