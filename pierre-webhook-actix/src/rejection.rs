use std::{error::Error as StdError, fmt, io, sync::Arc};

use actix_web::{HttpResponse, ResponseError, error::PayloadError, http::StatusCode};
use pierre_webhook_core::Error;

/// Why a request was refused, and the failure behind it where there was one.
///
/// As an error it is answered with the status of the rule and problem details (RFC 9457). It is in the
/// extensions of the response, also of one of your own, so that a middleware can count or log it. `Display`
/// is the text that the sender is told; the failure of a body or of a look-up is in
/// [`source`](StdError::source) alone.
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

    pub(crate) fn unreadable(source: PayloadError) -> Self {
        let error = match source {
            PayloadError::Overflow => Error::BodyTooLargeForServer,
            _ => Error::BodyUnreadable,
        };
        Self { error, source: Some(Arc::new(source)) }
    }

    pub(crate) fn too_slow() -> Self {
        let source = io::Error::new(io::ErrorKind::TimedOut, "the body took too long");
        Self { error: Error::BodyUnreadable, source: Some(Arc::new(source)) }
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

impl ResponseError for Rejection {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status());
        for header in self.error.headers() {
            response.insert_header(*header);
        }
        let mut response = response.body(self.error.problem_json());
        response.extensions_mut().insert(self.clone());
        response
    }
}

/// Problem details for a mistake in the wiring.
pub(crate) fn problem(mistake: &impl ResponseError) -> HttpResponse {
    let status = mistake.status_code();
    HttpResponse::build(status)
        .content_type(pierre_webhook_core::PROBLEM_JSON)
        .body(pierre_webhook_core::problem_json(status.as_u16(), &mistake.to_string()))
}
