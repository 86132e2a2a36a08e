//! `DedupMiddlewareService`: runs the inner service once per delivery.

use std::{fmt, pin::Pin, rc::Rc};

use actix_web::{
    HttpMessage,
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, forward_ready},
    error::InternalError,
    rt::spawn,
};
use pierre_webhook_actix::Webhook;

use super::respond;
use crate::{
    answer::Answer,
    dedup::Dedup,
    handle::LeaseHandle,
    handling::{claim, end_of, run},
    rules::Rules,
    trace::in_this_span,
};

/// The service that [`DedupMiddleware`](crate::DedupMiddleware) creates.
pub struct DedupMiddlewareService<S> {
    inner: Rc<S>,
    dedup: Dedup,
    rules: Rules<Webhook>,
}

impl<S> DedupMiddlewareService<S> {
    pub(super) fn new(inner: Rc<S>, dedup: Dedup, rules: Rules<Webhook>) -> Self {
        Self { inner, dedup, rules }
    }
}

impl<S, B> Service<ServiceRequest> for DedupMiddlewareService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, actix_web::Error>>>>;

    forward_ready!(inner);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let inner = Rc::clone(&self.inner);
        let Some(webhook) = request.extensions().get::<Webhook>().cloned() else {
            let text = "Webhook is not verified: wrap VerifyWebhook outside of DedupMiddleware";
            let response = request.into_response(respond(&Answer::NotVerified(text)));
            return Box::pin(async { Ok(response.map_into_right_body()) });
        };
        if !self.rules.apply_to(&webhook) {
            let call = async move { inner.call(request).await };
            return Box::pin(async { call.await.map(ServiceResponse::map_into_left_body) });
        }
        let id = self.rules.id(&webhook);
        let dedup = self.dedup.for_delivery(&webhook);
        let stops_with_sender = self.rules.stops_with_sender;
        // The claim is taken in the request's own future, so that a sender that disconnects stops waiting.
        Box::pin(async move {
            let claim = match claim(&dedup, id).await {
                Ok(claim) => claim,
                Err(answer) => {
                    return Ok(request.into_response(respond(&answer)).map_into_right_body());
                }
            };
            let handled = async move {
                let handler = async |lease: LeaseHandle| {
                    request.extensions_mut().insert(lease);
                    match inner.call(request).await {
                        Ok(response) if response.status().is_success() => Ok(Ok(response)),
                        failure => Err(failure),
                    }
                };
                run(&dedup, claim, handler).await
            };
            let handled = if stops_with_sender {
                handled.await
            } else {
                let task = spawn(in_this_span(handled));
                end_of(task).await.unwrap_or_else(|answer| Err(error(&answer)))
            };
            handled.map(ServiceResponse::map_into_left_body)
        })
    }
}

/// The answer to a request that is gone.
fn error(answer: &Answer) -> actix_web::Error {
    InternalError::from_response("the delivery was not handled", respond(answer)).into()
}

impl<S> fmt::Debug for DedupMiddlewareService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DedupMiddlewareService").finish_non_exhaustive()
    }
}
