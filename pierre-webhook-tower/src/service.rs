//! The service. It is always ready, and each call has a future of its own.

use std::{
    error::Error,
    fmt,
    marker::PhantomData,
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
/// It takes a request with any body and passes on one whose body, `B`, holds the verified bytes.
///
/// It is always ready. The inner service is polled ready only after a delivery is verified, and that same instance
/// is called, so senders that nobody has verified hold none of its capacity. A layer outside that watches
/// readiness, such as load shedding, therefore never sees the inner service busy: put such a layer inside.
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

    /// Returns a reference to the inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Returns a mutable reference to the inner service.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Returns the inner service.
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

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (inner, finder) = (self.inner.clone(), self.finder.clone());
        ResponseFuture::new(inner, finder, self.respond.clone(), request)
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
