//! The middleware.

use std::{
    error::Error,
    fmt,
    future::{Ready, ready},
    pin::Pin,
    rc::Rc,
    time::Duration,
};

use actix_web::{
    HttpMessage, HttpRequest, HttpResponse, ResponseError,
    body::{EitherBody, MessageBody},
    dev::{Payload, Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    http::{StatusCode, header},
};
use pierre_webhook_core::FindVerifier;

use crate::{
    config::WebhookConfig,
    rejection::{Rejection, problem},
    unread::UnreadBody,
    verification::{BODY_TAKEN, verify},
};

/// A middleware that verifies every request to what it wraps: a scope, a resource, or a whole app.
///
/// No handler in it can be reached unverified, whatever the handler takes. The handler may take a
/// [`Webhook`](crate::Webhook), which is the delivery that was verified here, and `Bytes`, `Json` or `Payload`, which
/// read the verified bytes.
///
/// ```
/// use actix_web::{App, HttpResponse, web};
/// use pierre_webhook_actix::{Event, Secret, Verifier, VerifyWebhook, Webhook};
///
/// async fn receive(webhook: Webhook) -> HttpResponse {
///     println!("{}", webhook.event_type());
///     HttpResponse::NoContent().finish()
/// }
///
/// async fn archive(body: web::Bytes) -> HttpResponse {
///     println!("{} verified bytes", body.len());
///     HttpResponse::NoContent().finish()
/// }
///
/// let verify = VerifyWebhook::new(Verifier::new(Secret::new("whsec_k3yForDocsOnly_2f6c")?));
/// let app = App::new().service(
///     web::scope("/webhooks")
///         .wrap(verify)
///         .route("/deploy", web::post().to(receive))
///         .route("/archive", web::post().to(archive)),
/// );
/// # Ok::<(), pierre_webhook_actix::EmptySecret>(())
/// ```
///
/// - **It verifies first, and routes then.** In what it wraps, a forged request is rejected on a path or with a method
///   that has no handler too. Only a verified delivery is answered with 404 or 405.
/// - **A [`WebhookConfig`] is not needed,** and not used if it is there. If the middleware wraps a scope and an outer
///   one, both verify.
/// - **Actix calls the last `wrap` first.** A middleware that takes or decompresses the body belongs inside, so wrap it
///   before this one. If the body is gone, the answer is a 500 that says so.
/// - **`Content-Encoding` is removed** from the headers of a verified request, because the header isn't signed, and
///   actix's extractors would decompress the verified bytes by it.
/// - **A function that looks the verifier up** sees the parameters of what is wrapped, not those of a route within it.
///   It must not keep a clone of the request once its future has ended: actix panics if it routes such a request.
///
/// Cloning is cheap. Create it once, outside of the closure that `HttpServer` calls for each worker.
#[derive(Clone)]
#[must_use]
pub struct VerifyWebhook {
    config: WebhookConfig,
}

impl VerifyWebhook {
    /// Verifies with a fixed [`Verifier`](crate::Verifier), a [`LiveVerifier`](crate::LiveVerifier), or a function that
    /// looks the verifier up by the request. [`WebhookConfig::new`] has an example of such a function.
    pub fn new<V>(finder: V) -> Self
    where
        V: FindVerifier<HttpRequest, Future: 'static> + Send + Sync + 'static,
    {
        Self { config: WebhookConfig::new(finder) }
    }

    /// Sets how long the lookup of the verifier and the whole body may take together. Default: 30 seconds. See
    /// [`WebhookConfig::timeout`].
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { config: self.config.timeout(timeout) }
    }

    /// Responds to rejected requests with an error of your own. See [`WebhookConfig::error_handler`].
    pub fn error_handler<F>(self, handler: F) -> Self
    where
        F: Fn(Rejection, &HttpRequest) -> actix_web::Error + Send + Sync + 'static,
    {
        Self { config: self.config.error_handler(handler) }
    }
}

impl<S, B> Transform<S, ServiceRequest> for VerifyWebhook
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    B: MessageBody,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = actix_web::Error;
    type Transform = VerifyWebhookMiddleware<S>;
    type InitError = ();
    type Future = Ready<Result<VerifyWebhookMiddleware<S>, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        let config = self.config.clone();
        ready(Ok(VerifyWebhookMiddleware { service: Rc::new(service), config }))
    }
}

impl fmt::Debug for VerifyWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyWebhook").finish_non_exhaustive()
    }
}

/// The service that [`VerifyWebhook`] creates.
pub struct VerifyWebhookMiddleware<S> {
    service: Rc<S>,
    config: WebhookConfig,
}

impl<S, B> Service<ServiceRequest> for VerifyWebhookMiddleware<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    B: MessageBody,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, actix_web::Error>>>>;

    forward_ready!(service);

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let (service, config) = (Rc::clone(&self.service), self.config.clone());
        let body = UnreadBody::new(request.take_payload());
        Box::pin(async move {
            let webhook = match verify(request.request(), body, &config, BodyTaken).await {
                Ok(webhook) => webhook,
                Err(error) => return Ok(request.error_response(error).map_into_right_body()),
            };
            if request.headers().contains_key(header::CONTENT_ENCODING) {
                request.headers_mut().remove(header::CONTENT_ENCODING);
            }
            request.set_payload(Payload::from(webhook.body.clone()));
            request.extensions_mut().insert(webhook);
            service.call(request).await.map(ServiceResponse::map_into_left_body)
        })
    }
}

impl<S> fmt::Debug for VerifyWebhookMiddleware<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyWebhookMiddleware").finish_non_exhaustive()
    }
}

/// The error if what stands outside of the middleware took the body.
#[derive(Debug)]
struct BodyTaken;

impl fmt::Display for BodyTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "Webhook body was taken by another middleware: wrap VerifyWebhook outside of it",
        )
    }
}

impl Error for BodyTaken {}

impl ResponseError for BodyTaken {
    fn status_code(&self) -> StatusCode {
        StatusCode::INTERNAL_SERVER_ERROR
    }

    fn error_response(&self) -> HttpResponse {
        problem(self, BODY_TAKEN)
    }
}
