//! The future of a request: verification, then the inner service.

use std::{
    error::Error as StdError,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response, request::Parts};
use http_body::Body;
use pierre_webhook_core::FindVerifier;
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::{
    body::ResponseBody, observe, rejection::RejectionResponse, verification::Verification,
    webhook::Webhook,
};

pin_project! {
    /// The future of [`VerifyWebhook`](crate::VerifyWebhook): verifies the request, then calls the inner service
    /// or responds with a rejection.
    ///
    /// It never wakes itself: it is polled again only when the lookup, the body or the inner service wakes it.
    /// Dropping it gives back whatever it reserved of the inner service.
    ///
    /// # Panics
    ///
    /// If polled again after it has rejected the request.
    pub struct ResponseFuture<S, V, R, B, ReqBody>
    where
        S: Service<Request<B>>,
        V: FindVerifier<Parts>,
    {
        inner: S,
        finder: V,
        respond: R,
        // `None` once the inner service has them, or the request is rejected.
        parts: Option<Parts>,
        // `None` after the verification.
        #[pin]
        body: Option<ReqBody>,
        #[pin]
        stage: Stage<V::Future, S::Future>,
    }
}

pin_project! {
    #[project = StageProjection]
    enum Stage<L, F> {
        Verifying {
            #[pin]
            verification: Verification<L>,
        },
        // The inner service has yet to become ready.
        Reserving {
            webhook: Webhook,
        },
        Calling {
            #[pin]
            response: F,
        },
    }
}

impl<S, V, R, B, ReqBody> ResponseFuture<S, V, R, B, ReqBody>
where
    S: Service<Request<B>>,
    V: FindVerifier<Parts>,
{
    pub(crate) fn new(inner: S, finder: V, respond: R, request: Request<ReqBody>) -> Self {
        let (parts, body) = request.into_parts();
        let stage = Stage::Verifying { verification: Verification::Starting };
        Self { inner, finder, respond, parts: Some(parts), body: Some(body), stage }
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
            let webhook = match this.stage.as_mut().project() {
                StageProjection::Verifying { verification } => {
                    let Some(parts) = this.parts.as_ref() else { polled_after_completion() };
                    let body = this.body.as_mut();
                    match ready!(verification.poll(this.finder, parts, body, cx)) {
                        Ok(webhook) => {
                            observe::accepted(&webhook);
                            webhook
                        }
                        Err(rejection) => {
                            observe::rejected(&rejection, &parts.headers);
                            *this.parts = None;
                            let mut response = this.respond.respond(rejection.clone());
                            response.extensions_mut().insert(rejection);
                            return Poll::Ready(Ok(response));
                        }
                    }
                }
                StageProjection::Reserving { webhook } => webhook.clone(),
                StageProjection::Calling { response } => {
                    return response.poll(cx).map_ok(|response| response.map(ResponseBody::inner));
                }
            };
            if this.inner.poll_ready(cx)?.is_pending() {
                this.stage.set(Stage::Reserving { webhook });
                return Poll::Pending;
            }
            let Some(parts) = this.parts.take() else { polled_after_completion() };
            let mut request = Request::from_parts(parts, B::from(webhook.body.clone()));
            request.extensions_mut().insert(webhook);
            let response = this.inner.call(request);
            this.stage.set(Stage::Calling { response });
        }
    }
}

#[cold]
#[expect(
    clippy::panic,
    reason = "polling again breaks the contract of `Future`, so it is a bug in the caller"
)]
fn polled_after_completion() -> ! {
    panic!("`ResponseFuture` polled after completion")
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
