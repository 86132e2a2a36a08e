use std::{
    error::Error,
    fmt,
    marker::PhantomData,
    mem,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response, request::Parts};
use http_body::Body;
use pierre_webhook_core::FindVerifier;
use tower_service::Service;

use crate::{
    body::{ResponseBody, VerifiedBody},
    future::ResponseFuture,
    rejection::{ProblemResponse, RejectionResponse},
};

/// The service that [`VerifyWebhookLayer`](crate::VerifyWebhookLayer) makes.
///
/// It takes a request with any body and gives the inner service one whose body, `B`, is the verified
/// bytes. The inner service that was polled ready is the one that is called: its readiness is held while
/// the body arrives.
pub struct VerifyWebhook<
    S,
    V = pierre_webhook_core::Verifier,
    R = ProblemResponse,
    B = VerifiedBody,
> {
    inner: S,
    finder: V,
    respond: R,
    request_body: PhantomData<fn() -> B>,
}

impl<S, V, R, B> VerifyWebhook<S, V, R, B> {
    pub(crate) fn new(inner: S, finder: V, respond: R) -> Self {
        Self { inner, finder, respond, request_body: PhantomData }
    }

    /// The inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The inner service, to change.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Takes the inner service out.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, V, R, B, ReqBody, ResBody> Service<Request<ReqBody>> for VerifyWebhook<S, V, R, B>
where
    S: Service<Request<B>, Response = Response<ResBody>> + Clone,
    V: FindVerifier<Parts> + Clone,
    R: RejectionResponse<ResBody> + Clone,
    B: From<Bytes>,
    ReqBody: Body,
    ReqBody::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, V, R, B, ReqBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let next = self.inner.clone();
        let ready = mem::replace(&mut self.inner, next);
        ResponseFuture::new(ready, self.finder.clone(), self.respond.clone(), request)
    }
}

impl<S: Clone, V: Clone, R: Clone, B> Clone for VerifyWebhook<S, V, R, B> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), self.finder.clone(), self.respond.clone())
    }
}

impl<S: fmt::Debug, V, R, B> fmt::Debug for VerifyWebhook<S, V, R, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyWebhook").field("inner", &self.inner).finish_non_exhaustive()
    }
}
