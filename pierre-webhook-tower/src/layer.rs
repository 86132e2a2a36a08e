//! The layer: what a user configures.

use std::{fmt, marker::PhantomData};

use http::{Response, request::Parts};
use pierre_webhook_core::{FindVerifier, Verifier};
use tower_layer::Layer;

use crate::{
    body::VerifiedBody,
    rejection::{ProblemResponse, Rejection},
    service::VerifyWebhook,
};

/// Verifies each request. Verified deliveries reach the inner service with a [`Webhook`](crate::Webhook) in their
/// extensions; the layer responds to everything else itself.
///
/// ```
/// use axum::{Router, routing::post};
/// use pierre_webhook_tower::{Secret, Verifier, VerifyWebhookLayer, Webhook};
///
/// async fn receive(webhook: Webhook) {
///     println!("{}", webhook.event_type());
/// }
///
/// let verifier = Verifier::new(Secret::new("whsec_k3yForDocsOnly_2f6c")?);
/// let app: Router = Router::new()
///     .route("/webhooks", post(receive).route_layer(VerifyWebhookLayer::new(verifier)));
/// # Ok::<(), pierre_webhook_tower::EmptySecret>(())
/// ```
///
/// # Where to put it
///
/// - **In axum, use `route_layer`.** An unknown path then stays a 404 and a wrong method a 405. With `layer`, both are
///   rejected like any other request that isn't a delivery.
/// - **Inside of timeouts.** It waits for the lookup of the verifier and for the body, and has no time limit of its
///   own. `TimeoutLayer` bounds the whole request, including your handler; `RequestBodyTimeoutLayer` bounds each pause
///   in the body. No layer can bound the time for the request's head: set that in the server (`header_read_timeout` in
///   hyper) or in a proxy.
/// - **Outside of what limits or sheds load.** Senders that nobody has verified then take none of that capacity. See
///   [`VerifyWebhook`].
/// - **Outside of decompression.** The signature covers the bytes on the wire.
/// - **For bodies over 1 MiB,** raise `Verifier::body_limit`. If an axum handler also takes `Bytes` or `Json`, raise
///   `DefaultBodyLimit` too: axum applies its default of 2 MB to the verified body.
/// - **One verifier on several routes** lets someone who captured a delivery send it to any of them while it is fresh,
///   because the signature doesn't cover the path.
///
/// Trailers of the request are not passed on.
///
/// ```
/// use std::time::Duration;
/// use http::StatusCode;
/// use pierre_webhook_tower::{Verifier, VerifyWebhookLayer};
/// use tower::ServiceBuilder;
/// use tower_http::timeout::{RequestBodyTimeoutLayer, TimeoutLayer};
///
/// # fn layers(verifier: Verifier) {
/// // Outermost first.
/// let layers = ServiceBuilder::new()
///     .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, Duration::from_secs(20)))
///     .layer(RequestBodyTimeoutLayer::new(Duration::from_secs(5)))
///     .layer(VerifyWebhookLayer::new(verifier));
/// # let _: axum::Router = axum::Router::new().layer(layers);
/// # }
/// ```
#[must_use]
pub struct VerifyWebhookLayer<V = Verifier, R = ProblemResponse, B = VerifiedBody> {
    finder: V,
    respond: R,
    request_body: PhantomData<fn() -> B>,
}

impl<V: FindVerifier<Parts>> VerifyWebhookLayer<V> {
    /// Verifies with a fixed [`Verifier`](crate::Verifier), a [`LiveVerifier`](crate::LiveVerifier), or a function
    /// that looks the verifier up by the request's head.
    ///
    /// ```
    /// use std::{collections::HashMap, convert::Infallible, sync::Arc};
    /// use http::request::Parts;
    /// use pierre_webhook_tower::{Verifier, VerifyWebhookLayer};
    ///
    /// let tenants: Arc<HashMap<String, Verifier>> = Arc::default();
    /// let layer = VerifyWebhookLayer::new(move |parts: &Parts| {
    ///     // First take what is needed out of the head: the future must not borrow from it.
    ///     let tenant = parts.uri.path().strip_prefix("/webhooks/").unwrap_or_default().to_owned();
    ///     let tenants = Arc::clone(&tenants);
    ///     async move { Ok::<_, Infallible>(tenants.get(&tenant).cloned()) }
    /// });
    /// ```
    pub fn new(finder: V) -> Self {
        Self { finder, respond: ProblemResponse, request_body: PhantomData }
    }
}

impl<V, R, B> VerifyWebhookLayer<V, R, B> {
    /// Responds to rejected requests with a response of your own, whose body has the type of the inner service's.
    /// Default: [`ProblemResponse`].
    ///
    /// ```
    /// # use pierre_webhook_tower::{Secret, Verifier};
    /// use axum::response::{IntoResponse, Response};
    /// use pierre_webhook_tower::{Rejection, VerifyWebhookLayer};
    ///
    /// # let verifier = Verifier::new(Secret::new("s")?);
    /// let layer = VerifyWebhookLayer::new(verifier).with_rejection_response(
    ///     |rejection: Rejection| -> Response {
    ///         (rejection.status(), rejection.to_string()).into_response()
    ///     },
    /// );
    /// # let _: axum::Router = axum::Router::new().layer(layer);
    /// # Ok::<(), pierre_webhook_tower::EmptySecret>(())
    /// ```
    pub fn with_rejection_response<F, ResBody>(self, respond: F) -> VerifyWebhookLayer<V, F, B>
    where
        F: Fn(Rejection) -> Response<ResBody>,
    {
        VerifyWebhookLayer { finder: self.finder, respond, request_body: PhantomData }
    }

    /// Changes the body type of the request that the inner service gets. Default: [`VerifiedBody`].
    ///
    /// Some services take only one type of body, `axum::middleware::from_fn` for instance.
    ///
    /// ```
    /// # use pierre_webhook_tower::{Secret, Verifier, VerifyWebhookLayer};
    /// use axum::{body::Body, extract::Request, middleware::{Next, from_fn}};
    /// use tower::ServiceBuilder;
    ///
    /// # let verifier = Verifier::new(Secret::new("s")?);
    /// let layers = ServiceBuilder::new()
    ///     .layer(VerifyWebhookLayer::new(verifier).request_body::<Body>())
    ///     .layer(from_fn(|request: Request, next: Next| next.run(request)));
    /// # let _: axum::Router = axum::Router::new().layer(layers);
    /// # Ok::<(), pierre_webhook_tower::EmptySecret>(())
    /// ```
    pub fn request_body<Body>(self) -> VerifyWebhookLayer<V, R, Body> {
        VerifyWebhookLayer { finder: self.finder, respond: self.respond, request_body: PhantomData }
    }
}

impl<S, V: Clone, R: Clone, B> Layer<S> for VerifyWebhookLayer<V, R, B> {
    type Service = VerifyWebhook<S, V, R, B>;

    fn layer(&self, inner: S) -> Self::Service {
        VerifyWebhook::new(inner, self.finder.clone(), self.respond.clone())
    }
}

impl<V: Clone, R: Clone, B> Clone for VerifyWebhookLayer<V, R, B> {
    fn clone(&self) -> Self {
        Self {
            finder: self.finder.clone(),
            respond: self.respond.clone(),
            request_body: PhantomData,
        }
    }
}

impl<V, R, B> fmt::Debug for VerifyWebhookLayer<V, R, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyWebhookLayer").finish_non_exhaustive()
    }
}
