use std::{error::Error, fmt, pin::Pin, sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse, ResponseError, http::StatusCode, rt::time::timeout, web,
};
use pierre_webhook_core::{FindVerifier, Verifier};

use crate::rejection::{Rejection, problem};

/// How the [`Webhook`](crate::Webhook) extractor verifies, and how it answers what it refuses.
///
/// It is taken from `app_data`, as itself or in `web::Data`, the innermost scope's of either form. A plain one
/// of any scope around the route comes before every one in `web::Data`, so use one form alone. It is cheap to
/// clone.
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
    finder: Arc<Finder>,
    error_handler: Option<Arc<ErrorHandler>>,
    body_timeout: Duration,
}

type Finder = dyn Fn(&HttpRequest) -> LookUp + Send + Sync;
type LookUp = Pin<Box<dyn Future<Output = Result<Option<Verifier>, Rejection>>>>;
type ErrorHandler = dyn Fn(Rejection, &HttpRequest) -> actix_web::Error + Send + Sync;

impl WebhookConfig {
    /// Verifies with what the finder finds: a [`Verifier`], a [`LiveVerifier`](crate::LiveVerifier), or a
    /// function of the request.
    ///
    /// ```
    /// use std::{collections::HashMap, convert::Infallible, sync::Arc};
    /// use actix_web::HttpRequest;
    /// use pierre_webhook_actix::{Verifier, WebhookConfig};
    ///
    /// let tenants: Arc<HashMap<String, Verifier>> = Arc::default();
    /// let config = WebhookConfig::new(move |request: &HttpRequest| {
    ///     // Out of the request first: the future must not borrow from it.
    ///     let tenant = request.match_info().query("tenant").to_owned();
    ///     let tenants = Arc::clone(&tenants);
    ///     async move { Ok::<_, Infallible>(tenants.get(&tenant).cloned()) }
    /// });
    /// ```
    pub fn new<V>(finder: V) -> Self
    where
        V: FindVerifier<HttpRequest, Future: 'static> + Send + Sync + 'static,
    {
        let finder = move |request: &HttpRequest| -> LookUp {
            let found = finder.find(request);
            Box::pin(
                async move { found.await.map_err(|error| Rejection::unavailable(error.into())) },
            )
        };
        let body_timeout = Duration::from_secs(30);
        Self { finder: Arc::new(finder), error_handler: None, body_timeout }
    }

    /// How long the whole body may take to arrive, once the verifier is found. Default 30 seconds.
    ///
    /// A body that takes longer is refused as one that could not be read, and its connection is closed. Actix
    /// has no such timeout of its own, and one around the route is no substitute: it drops the body, of which
    /// actix then reads on for as long as it comes.
    pub fn body_timeout(self, timeout: Duration) -> Self {
        Self { body_timeout: timeout, ..self }
    }

    /// Answers a refused request with an error of your own. Whatever it is, the [`Rejection`] is in the
    /// response's extensions; the error itself arrives there wrapped, so that it is not found by its type.
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

    pub(crate) async fn in_time(
        &self,
        body: impl Future<Output = Result<(), Rejection>>,
    ) -> Result<(), Rejection> {
        timeout(self.body_timeout, body).await.unwrap_or_else(|_| Err(Rejection::too_slow()))
    }

    pub(crate) fn find(&self, request: &HttpRequest) -> LookUp {
        (self.finder)(request)
    }

    /// What the rejection is answered with.
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

/// A handler takes a [`Webhook`](crate::Webhook) and no [`WebhookConfig`] is in its `app_data`: a mistake in
/// the wiring, answered with 500.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct MissingWebhookConfig;

impl fmt::Display for MissingWebhookConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Webhook is not configured: add WebhookConfig to app_data")
    }
}

impl Error for MissingWebhookConfig {}

impl ResponseError for MissingWebhookConfig {
    fn status_code(&self) -> StatusCode {
        StatusCode::INTERNAL_SERVER_ERROR
    }

    fn error_response(&self) -> HttpResponse {
        problem(self)
    }
}
