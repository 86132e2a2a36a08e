//! What a user configures.

use std::{error::Error, fmt, pin::Pin, sync::Arc, time::Duration};

use actix_web::{HttpRequest, HttpResponse, ResponseError, http::StatusCode, web};
use pierre_webhook_core::{FindVerifier, Verifier};

use crate::rejection::{Rejection, problem};

/// Configures the [`Webhook`](crate::Webhook) extractor: how it verifies, and how it responds to rejected requests.
///
/// Add it to `app_data`, either as it is or in `web::Data`. The innermost scope's wins. If both forms are present, the
/// plain one wins whatever its scope, so use only one form. Cloning is cheap.
///
/// - **Bodies over 1 MiB** need a higher [`Verifier::body_limit`]. Actix's own `PayloadConfig` doesn't apply here.
/// - **Compressed bodies** are not decompressed, because the signature covers the bytes on the wire.
/// - **Time:** [`timeout`](Self::timeout) bounds the lookup and the body, and `HttpServer::client_request_timeout` the
///   head. To bound your handler, put a timeout around the route that is longer than this one.
/// - **HTTP/2:** if you look verifiers up, accept HTTP/2 at a proxy and speak HTTP/1.1 to actix. While a lookup is
///   pending, a client can send empty DATA frames, and actix's HTTP/2 library (h2 0.3) keeps each of them in memory.
/// - **A rejected body is not read.** The connection is closed instead.
/// - **One config on several routes** lets someone who captured a delivery send it to any of them while it is fresh,
///   because the signature doesn't cover the path.
///
/// ```
/// use actix_web::{App, HttpResponse, error::InternalError, web};
/// use pierre_webhook_actix::{Rejection, Secret, Verifier, Webhook, WebhookConfig};
///
/// async fn receive(webhook: Webhook) -> HttpResponse {
///     println!("{}", webhook.event_type());
///     HttpResponse::NoContent().finish()
/// }
///
/// let verifier = Verifier::new(Secret::new("whsec_k3yForDocsOnly_2f6c")?);
/// let config = WebhookConfig::new(verifier).error_handler(|rejection: Rejection, _| {
///     let response = HttpResponse::build(rejection.status()).body(rejection.to_string());
///     InternalError::from_response(rejection, response).into()
/// });
/// let app = App::new().app_data(config).route("/webhooks", web::post().to(receive));
/// # Ok::<(), pierre_webhook_actix::EmptySecret>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct WebhookConfig {
    finder: Arc<dyn Finder>,
    error_handler: Option<Arc<ErrorHandler>>,
    timeout: Duration,
}

/// A [`FindVerifier`] of any type.
trait Finder: Send + Sync {
    fn find(&self, request: &HttpRequest) -> LookUp;
    fn without_lookup(&self) -> Option<Verifier>;
}

type LookUp = Pin<Box<dyn Future<Output = Result<Option<Verifier>, Rejection>>>>;

impl<V> Finder for V
where
    V: FindVerifier<HttpRequest, Future: 'static> + Send + Sync,
{
    fn find(&self, request: &HttpRequest) -> LookUp {
        let found = FindVerifier::find(self, request);
        Box::pin(async move { found.await.map_err(|error| Rejection::unavailable(error.into())) })
    }

    fn without_lookup(&self) -> Option<Verifier> {
        FindVerifier::without_lookup(self)
    }
}

type ErrorHandler = dyn Fn(Rejection, &HttpRequest) -> actix_web::Error + Send + Sync;

impl WebhookConfig {
    /// Verifies with a fixed [`Verifier`], a [`LiveVerifier`](crate::LiveVerifier), or a function that looks the
    /// verifier up by the request.
    ///
    /// ```
    /// use std::{collections::HashMap, convert::Infallible, sync::Arc};
    /// use actix_web::HttpRequest;
    /// use pierre_webhook_actix::{Verifier, WebhookConfig};
    ///
    /// let tenants: Arc<HashMap<String, Verifier>> = Arc::default();
    /// let config = WebhookConfig::new(move |request: &HttpRequest| {
    ///     // First take what is needed out of the request: the future must not borrow from it.
    ///     let tenant = request.match_info().query("tenant").to_owned();
    ///     let tenants = Arc::clone(&tenants);
    ///     async move { Ok::<_, Infallible>(tenants.get(&tenant).cloned()) }
    /// });
    /// ```
    pub fn new<V>(finder: V) -> Self
    where
        V: FindVerifier<HttpRequest, Future: 'static> + Send + Sync + 'static,
    {
        Self { finder: Arc::new(finder), error_handler: None, timeout: Duration::from_secs(30) }
    }

    /// Sets how long the lookup of the verifier and the whole body may take together. Default: 30 seconds.
    ///
    /// A request whose verifier isn't found in time is rejected with 503, and one whose body isn't complete in time
    /// as a body that could not be read. Either way the connection is closed.
    ///
    /// Actix has no such timeout of its own. One around the route is no substitute: it drops the unread body, and
    /// actix then reads on for as long as the sender sends.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Responds to rejected requests with an error of your own.
    ///
    /// The [`Rejection`] is in the response's extensions whatever the error is. The error itself is wrapped, so a
    /// middleware can't find it by its type.
    pub fn error_handler<F>(self, handler: F) -> Self
    where
        F: Fn(Rejection, &HttpRequest) -> actix_web::Error + Send + Sync + 'static,
    {
        Self { error_handler: Some(Arc::new(handler)), ..self }
    }

    pub(crate) fn of(request: &HttpRequest) -> Result<&Self, MissingWebhookConfig> {
        request
            .app_data()
            .or_else(|| request.app_data::<web::Data<Self>>().map(|config| &***config))
            .ok_or(MissingWebhookConfig)
    }

    pub(crate) fn time_limit(&self) -> Duration {
        self.timeout
    }

    pub(crate) async fn find(&self, request: &HttpRequest) -> Result<Option<Verifier>, Rejection> {
        match self.finder.without_lookup() {
            Some(verifier) => Ok(Some(verifier)),
            None => self.finder.find(request).await,
        }
    }

    /// Returns the error that makes the response.
    pub(crate) fn error(&self, rejection: Rejection, request: &HttpRequest) -> actix_web::Error {
        match &self.error_handler {
            Some(handler) => handler(rejection, request),
            None => rejection.into(),
        }
    }
}

impl fmt::Debug for WebhookConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookConfig").finish_non_exhaustive()
    }
}

/// The error of the [`Webhook`](crate::Webhook) extractor on a route without a [`WebhookConfig`]. The response is a
/// 500 that names what is missing.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct MissingWebhookConfig;

impl fmt::Display for MissingWebhookConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Webhook is not configured: add WebhookConfig to app_data")
    }
}

/// The code of the response.
pub(crate) const NOT_CONFIGURED: &str = "webhook_not_configured";

impl Error for MissingWebhookConfig {}

impl ResponseError for MissingWebhookConfig {
    fn status_code(&self) -> StatusCode {
        StatusCode::INTERNAL_SERVER_ERROR
    }

    fn error_response(&self) -> HttpResponse {
        problem(self, NOT_CONFIGURED)
    }
}
