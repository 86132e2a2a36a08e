use std::{error::Error as StdError, fmt, iter, sync::Arc};

use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::LengthLimitError;
use pierre_webhook_core::Error;

use crate::body::ResponseBody;

/// Why a request was refused, and the failure behind it where there was one.
///
/// It is in the extensions of the response that answers the request, also of one of your own, so that a
/// layer outside can count or log it. `Display` is the text that the sender is told; the failure of a body
/// or of a look-up is in [`source`](StdError::source) alone.
#[derive(Clone, Debug)]
pub struct Rejection {
    error: Error,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Rejection {
    /// The rule that was broken.
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// The status to answer with.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.error.status_code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub(crate) fn unavailable(source: Box<dyn StdError + Send + Sync>) -> Self {
        Self { error: Error::VerifierUnavailable, source: Some(source.into()) }
    }

    pub(crate) fn unreadable(source: Box<dyn StdError + Send + Sync>) -> Self {
        let first: &(dyn StdError + 'static) = &*source;
        let mut chain = iter::successors(Some(first), |error| (*error).source());
        let error = if chain.any(|error| error.is::<LengthLimitError>()) {
            Error::BodyTooLargeForServer
        } else {
            Error::BodyUnreadable
        };
        Self { error, source: Some(source.into()) }
    }

    /// The default answer, with a body made from the bytes of the problem details.
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
        Self { error, source: None }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

impl StdError for Rejection {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// The default answer, as problem details (RFC 9457); the rejection is in its extensions.
#[cfg(feature = "axum")]
impl axum_core::response::IntoResponse for Rejection {
    fn into_response(self) -> axum_core::response::Response {
        let mut response = self.problem(axum_core::body::Body::from);
        response.extensions_mut().insert(self);
        response
    }
}

/// How a refused request is answered: [`ProblemResponse`], or a function of the [`Rejection`] that makes a
/// response with the inner service's body.
///
/// Sealed: it is implemented for these two alone.
pub trait RejectionResponse<B>: sealed::Sealed<B> {
    /// The response to this rejection.
    fn respond(&self, rejection: Rejection) -> Response<ResponseBody<B>>;
}

/// The default answer to a refused request: the status of the rule, and problem details (RFC 9457) with its
/// text.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct ProblemResponse;

impl<B> RejectionResponse<B> for ProblemResponse {
    fn respond(&self, rejection: Rejection) -> Response<ResponseBody<B>> {
        rejection.problem(|bytes| ResponseBody::refusal(bytes.into()))
    }
}

impl<B, F: Fn(Rejection) -> Response<B>> RejectionResponse<B> for F {
    fn respond(&self, rejection: Rejection) -> Response<ResponseBody<B>> {
        self(rejection).map(ResponseBody::inner)
    }
}

mod sealed {
    use super::{ProblemResponse, Rejection, Response};

    #[expect(unnameable_types, reason = "that nobody can name it is what seals the trait")]
    pub trait Sealed<B> {}

    impl<B> Sealed<B> for ProblemResponse {}

    impl<B, F: Fn(Rejection) -> Response<B>> Sealed<B> for F {}
}
