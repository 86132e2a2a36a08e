//! Why a request was rejected, and the response that says so.

use std::{error::Error as StdError, fmt, iter, sync::Arc};

use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::LengthLimitError;
use pierre_webhook_core::Error;

use crate::body::ResponseBody;

/// Why a request was rejected.
///
/// It is in the extensions of the response, even if the response is your own, so a layer outside can count or
/// log it. `Display` is the text that the sender is told.
///
/// If a lookup or the body failed, the cause is in [`source`](StdError::source) and nowhere else: neither
/// `Display` nor `Debug` prints it, since the error of a lookup may hold a password.
#[derive(Clone)]
pub struct Rejection {
    error: Error,
    tenant: Option<Arc<str>>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Rejection {
    /// Returns the rule that was broken.
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// Returns the tenant whose verifier rejected the request, if
    /// [`Verifier::tenant`](pierre_webhook_core::Verifier::tenant) named one. `None` if the request was rejected
    /// before its verifier was found.
    ///
    /// The request isn't authenticated: anyone can send one to a tenant's address.
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// Returns the status of the response.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.error.status_code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub(crate) fn unavailable(source: Box<dyn StdError + Send + Sync>) -> Self {
        Self { source: Some(source.into()), ..Error::VerifierUnavailable.into() }
    }

    pub(crate) fn unreadable(source: Box<dyn StdError + Send + Sync>) -> Self {
        let first: &(dyn StdError + 'static) = &*source;
        let mut chain = iter::successors(Some(first), |error| (*error).source());
        let error = if chain.any(|error| error.is::<LengthLimitError>()) {
            Error::BodyTooLargeForServer
        } else {
            Error::BodyUnreadable
        };
        Self { source: Some(source.into()), ..error.into() }
    }

    /// Adds the tenant whose verifier rejected the request.
    pub(crate) fn of(self, tenant: Option<Arc<str>>) -> Self {
        Self { tenant, ..self }
    }

    /// The default response, with a body made from the bytes of the problem details.
    fn problem<B>(&self, body: impl FnOnce(Vec<u8>) -> B) -> Response<B> {
        let mut response = Response::new(body(self.error.problem_json()));
        *response.status_mut() = self.status();
        for (name, value) in self.error.headers() {
            response
                .headers_mut()
                .insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        response
    }
}

impl From<Error> for Rejection {
    fn from(error: Error) -> Self {
        Self { error, tenant: None, source: None }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

/// Omits the cause.
impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejection")
            .field("error", &self.error)
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

impl StdError for Rejection {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Makes the default response: problem details (RFC 9457), with the rejection in its extensions.
#[cfg(feature = "axum")]
impl axum_core::response::IntoResponse for Rejection {
    fn into_response(self) -> axum_core::response::Response {
        let mut response = self.problem(axum_core::body::Body::from);
        response.extensions_mut().insert(self);
        response
    }
}

/// Makes the response to a rejected request: [`ProblemResponse`], or a function from [`Rejection`] to a response
/// with the inner service's body type.
///
/// This trait is sealed.
pub trait RejectionResponse<B>: sealed::Sealed<B> {
    /// Makes the response.
    fn respond(&self, rejection: Rejection) -> Response<ResponseBody<B>>;
}

/// The default response to a rejected request: the status of the rule, and problem details (RFC 9457) with its
/// text.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct ProblemResponse;

impl<B> RejectionResponse<B> for ProblemResponse {
    fn respond(&self, rejection: Rejection) -> Response<ResponseBody<B>> {
        rejection.problem(ResponseBody::from_bytes)
    }
}

impl<B, F: Fn(Rejection) -> Response<B>> RejectionResponse<B> for F {
    fn respond(&self, rejection: Rejection) -> Response<ResponseBody<B>> {
        self(rejection).map(ResponseBody::inner)
    }
}

mod sealed {
    use super::{ProblemResponse, Rejection, Response};

    #[expect(unnameable_types, reason = "a name that nobody can write seals the trait")]
    pub trait Sealed<B> {}

    impl<B> Sealed<B> for ProblemResponse {}

    impl<B, F: Fn(Rejection) -> Response<B>> Sealed<B> for F {}
}
