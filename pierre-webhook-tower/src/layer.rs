use std::{fmt, marker::PhantomData};

use http::{Response, request::Parts};
use pierre_webhook_core::{FindVerifier, Verifier};
use tower_layer::Layer;

use crate::{
    body::VerifiedBody,
    rejection::{ProblemResponse, Rejection},
    service::VerifyWebhook,
};

/// Lets verified deliveries through, with a [`Webhook`](crate::Webhook) in the request's extensions, and
/// answers every other request itself.
///
/// Put it outside of decompression, since the compressed bytes are what is signed, and timeouts outside
/// of it, since it waits for the body. Of axum's `layer` and `route_layer`, the second leaves an unknown path
/// its 404 and a wrong method its 405; with the first they are refused as deliveries that they are not.
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
#[must_use]
pub struct VerifyWebhookLayer<V = Verifier, R = ProblemResponse, B = VerifiedBody> {
    finder: V,
    respond: R,
    request_body: PhantomData<fn() -> B>,
}

impl<V: FindVerifier<Parts>> VerifyWebhookLayer<V> {
    /// Verifies with what the finder finds: a [`Verifier`](crate::Verifier), a
    /// [`LiveVerifier`](crate::LiveVerifier), or a function of the request's head.
    ///
    /// ```
    /// use std::{collections::HashMap, convert::Infallible, sync::Arc};
    /// use http::request::Parts;
    /// use pierre_webhook_tower::{Verifier, VerifyWebhookLayer};
    ///
    /// let tenants: Arc<HashMap<String, Verifier>> = Arc::default();
    /// let layer = VerifyWebhookLayer::new(move |parts: &Parts| {
    ///     // Out of the head first: the future must not borrow from it.
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
    /// Answers a refused request with a response of your own, whose body is of the type of the inner
    /// service's. The default is [`ProblemResponse`].
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

    /// Gives the inner service its verified bytes as another body than [`VerifiedBody`]: for a service that
    /// takes one type of body alone, as `axum::middleware::from_fn` does.
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
