//! `DedupMiddleware`: deduplication for actix.

use std::{
    fmt,
    future::{Ready, ready},
    rc::Rc,
    sync::Arc,
};

use actix_web::{
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
};
use pierre_webhook_actix::Webhook;
use pierre_webhook_core::DeliveryId;

use super::service::DedupMiddlewareService;
use crate::{dedup::Dedup, rules::Rules};

/// An actix middleware that handles each verified delivery once.
///
/// Wrap it inside of `VerifyWebhook`, which verifies the delivery. Actix calls the last `wrap` first:
///
/// ```
/// use actix_web::{App, HttpResponse, web};
/// use pierre_webhook_actix::{Secret, Verifier, VerifyWebhook, Webhook};
/// use pierre_webhook_dedup::{Dedup, DedupMiddleware, MemoryStore};
///
/// async fn deploy(webhook: Webhook) -> HttpResponse {
///     HttpResponse::NoContent().finish()
/// }
///
/// let once = DedupMiddleware::new(Dedup::new(MemoryStore::new()));
/// let verify = VerifyWebhook::new(Verifier::new(Secret::new("whsec_k3yForDocsOnly_2f6c")?));
/// let app = App::new().service(
///     web::resource("/webhooks").route(web::post().to(deploy)).wrap(once).wrap(verify),
/// );
/// # Ok::<(), pierre_webhook_actix::EmptySecret>(())
/// ```
///
/// | if the inner service | the delivery | and the response |
/// | --- | --- | --- |
/// | answers with a 2xx | is completed | is the inner service's |
/// | answers with another status, fails, or panics | is released: a retry is handled | is the inner service's |
///
/// Otherwise the inner service isn't called:
///
/// | if the delivery | the response is |
/// | --- | --- |
/// | has already been handled | 200, empty |
/// | is being handled | 503 with `Retry-After`, 1 to 5 seconds, after [waiting](Dedup::wait) for the end of that if set |
/// | can't be claimed because the store failed | 503 with `Retry-After`, unless the [`Dedup`] [fails open](Dedup::fail_open) |
/// | is missing from the request's extensions | 500 |
///
/// Deliveries of different [tenants](pierre_webhook_core::Verifier::tenant) are kept apart, and events of unknown types
/// have terms of their own: see [`Dedup::for_delivery`].
///
/// The inner service runs in a task of its own on the same worker: it finishes even if the sender disconnects or an
/// outer timeout responds first, and retries get a 503 until then. [`stop_with_sender`](Self::stop_with_sender) opts
/// out. The task needs actix's runtime, so a test needs `#[actix_web::test]`.
///
/// A worker that stops drops its tasks. So call [`Dedup::shutdown`] while the server still runs, in the future of
/// `HttpServer::shutdown_signal`: it waits for the tasks, and deliveries that arrive meanwhile get a 503.
///
/// ```
/// # use std::time::Duration;
/// # use actix_web::{App, HttpServer};
/// # use pierre_webhook_dedup::Dedup;
/// # fn serve(dedup: Dedup, signal: impl Future<Output = ()> + Send + 'static) {
/// let server = HttpServer::new(|| App::new()).shutdown_signal(async move {
///     signal.await;
///     let unfinished = dedup.shutdown(Duration::from_secs(20)).await;
///     if !unfinished.is_empty() {
///         eprintln!("{unfinished}");
///     }
/// });
/// # }
/// ```
///
/// The request's extensions hold a [`LeaseHandle`](crate::LeaseHandle) for the handler, which has the fencing token of the
/// claim and tells whether the lease is lost. Take it by `web::ReqData<LeaseHandle>`.
///
/// A 2xx completes the delivery as soon as its head is returned; the body may still be streaming. If the store
/// fails after the handler has succeeded, the response is the handler's and the completion is recorded in the
/// background.
///
/// Create it once, outside of the closure that `HttpServer` calls for each worker.
#[derive(Clone)]
pub struct DedupMiddleware {
    dedup: Dedup,
    rules: Rules<Webhook>,
}

impl DedupMiddleware {
    /// Creates a middleware that handles deliveries according to `dedup`.
    pub fn new(dedup: Dedup) -> Self {
        Self { dedup, rules: Rules::default() }
    }

    /// Stops the inner service when the sender disconnects or an outer timeout fires.
    ///
    /// By default the inner service runs in a task of its own and finishes. If it stopped with its sender, a handler
    /// slower than the sender's time-out would never finish, and what it had started elsewhere, such as a
    /// `web::block` or a child process, would go on while the retry starts it again.
    ///
    /// Set this only for handlers that are quick, or that undo everything when they are dropped.
    #[must_use]
    pub fn stop_with_sender(mut self) -> Self {
        self.rules.stops_with_sender = true;
        self
    }

    /// Sets which deliveries are the same: those with equal ids. By default these are
    /// [`Delivery::id`](pierre_webhook_core::Delivery::id)s, so the same event with the same body.
    ///
    /// [`DeliveryId::of`] makes an id of a name and bytes. Scope and tenant keep ids apart as before.
    ///
    /// ```
    /// # use pierre_webhook_actix::{Event, Webhook};
    /// # use pierre_webhook_dedup::{Dedup, DedupMiddleware, DeliveryId, MemoryStore};
    /// // Deploys each commit of a repository once, whichever branches it is pushed to.
    /// let once = DedupMiddleware::new(Dedup::new(MemoryStore::new())).id(|webhook: &Webhook| match &webhook.event {
    ///     Event::Push(push) => {
    ///         DeliveryId::of("deploy", format!("{} {}", push.repository.url, push.after).as_bytes())
    ///     }
    ///     _ => webhook.id(),
    /// });
    /// ```
    #[must_use]
    pub fn id(mut self, id: impl Fn(&Webhook) -> DeliveryId + Send + Sync + 'static) -> Self {
        self.rules.id = Some(Arc::new(id));
        self
    }

    /// Handles only these deliveries once. Others reach the inner service each time they arrive, without a claim, and
    /// stop with their sender.
    ///
    /// ```
    /// # use pierre_webhook_actix::{Event, Webhook};
    /// # use pierre_webhook_dedup::{Dedup, DedupMiddleware, MemoryStore};
    /// let once = DedupMiddleware::new(Dedup::new(MemoryStore::new()))
    ///     .only_if(|webhook: &Webhook| matches!(webhook.event, Event::Push(_)));
    /// ```
    #[must_use]
    pub fn only_if(mut self, predicate: impl Fn(&Webhook) -> bool + Send + Sync + 'static) -> Self {
        self.rules.only_if = Some(Arc::new(predicate));
        self
    }
}

impl<S, B> Transform<S, ServiceRequest> for DedupMiddleware
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = actix_web::Error;
    type Transform = DedupMiddlewareService<S>;
    type InitError = ();
    type Future = Ready<Result<DedupMiddlewareService<S>, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        let (dedup, rules) = (self.dedup.clone(), self.rules.clone());
        ready(Ok(DedupMiddlewareService::new(Rc::new(inner), dedup, rules)))
    }
}

impl fmt::Debug for DedupMiddleware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DedupMiddleware")
            .field("dedup", &self.dedup)
            .field("stops_with_sender", &self.rules.stops_with_sender)
            .finish_non_exhaustive()
    }
}
