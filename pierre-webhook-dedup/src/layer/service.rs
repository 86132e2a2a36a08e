//! `DedupService`: runs the inner service once per delivery.

use std::{
    fmt, mem,
    pin::Pin,
    task::{Context, Poll},
};

use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use pierre_webhook_tower::{ResponseBody, Webhook};
use tokio::runtime::Handle;
use tower_service::Service;

use crate::{
    answer::Answer,
    claim::Claim,
    dedup::Dedup,
    handle::LeaseHandle,
    handling::{claim, end_of, run},
    rules::Rules,
    trace::in_this_span,
};

/// The service that [`DedupLayer`](crate::DedupLayer) creates.
///
/// It calls the same instance of the inner service that it polled ready.
#[derive(Clone)]
pub struct DedupService<S> {
    inner: S,
    dedup: Dedup,
    rules: Rules<Webhook>,
}

impl<S> DedupService<S> {
    pub(super) fn new(inner: S, dedup: Dedup, rules: Rules<Webhook>) -> Self {
        Self { inner, dedup, rules }
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

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for DedupService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone + Send + 'static,
    S::Error: Send + 'static,
    S::Future: Send,
    ReqBody: Send + 'static,
    ResBody: Send + 'static,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        // Without a webhook, the answer says what is missing.
        let webhook = request.extensions().get::<Webhook>();
        let is_once = webhook.is_none_or(|webhook| self.rules.apply_to(webhook));
        let next = self.inner.clone();
        let ready = mem::replace(&mut self.inner, next);
        if !is_once {
            return Box::pin(pass_through(ready, request));
        }
        Box::pin(answer(self.dedup.clone(), self.rules.clone(), ready, request))
    }
}

async fn pass_through<S, ReqBody, ResBody>(
    mut inner: S,
    request: Request<ReqBody>,
) -> Result<Response<ResponseBody<ResBody>>, S::Error>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    Ok(inner.call(request).await?.map(ResponseBody::inner))
}

/// Claims the delivery in the request's own future, so that a sender that disconnects stops waiting. The inner service
/// then runs in a task of its own.
async fn answer<S, ReqBody, ResBody>(
    dedup: Dedup,
    rules: Rules<Webhook>,
    inner: S,
    request: Request<ReqBody>,
) -> Result<Response<ResponseBody<ResBody>>, S::Error>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Send + 'static,
    S::Error: Send + 'static,
    S::Future: Send,
    ReqBody: Send + 'static,
    ResBody: Send + 'static,
{
    let Some(webhook) = request.extensions().get::<Webhook>() else {
        let text = "Webhook is not verified: add VerifyWebhookLayer outside of DedupLayer";
        return Ok(respond(&Answer::NotVerified(text)));
    };
    let id = rules.id(webhook);
    let dedup = dedup.for_delivery(webhook);
    let claim = match claim(&dedup, id).await {
        Ok(claim) => claim,
        Err(answer) => return Ok(respond(&answer)),
    };
    let handled = handled(dedup, claim, inner, request);
    if rules.stops_with_sender {
        return handled.await;
    }
    // There is a runtime, or there would be no claim.
    let Ok(runtime) = Handle::try_current() else { return handled.await };
    let task = runtime.spawn(in_this_span(handled));
    end_of(task).await.unwrap_or_else(|answer| Ok(respond(&answer)))
}

async fn handled<S, ReqBody, ResBody>(
    dedup: Dedup,
    claim: Claim,
    mut inner: S,
    mut request: Request<ReqBody>,
) -> Result<Response<ResponseBody<ResBody>>, S::Error>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    let work = async |lease: LeaseHandle| {
        request.extensions_mut().insert(lease);
        match inner.call(request).await {
            Ok(response) if response.status().is_success() => Ok(Ok(response)),
            failure => Err(failure),
        }
    };
    Ok(run(&dedup, claim, work).await?.map(ResponseBody::inner))
}

fn respond<B>(answer: &Answer) -> Response<ResponseBody<B>> {
    let mut response = Response::new(ResponseBody::from_bytes(answer.body()));
    *response.status_mut() =
        StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers() {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

impl<S: fmt::Debug> fmt::Debug for DedupService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DedupService").field("inner", &self.inner).finish_non_exhaustive()
    }
}
