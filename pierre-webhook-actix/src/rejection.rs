//! Why a request was rejected, and the response that says so.

use std::{error::Error as StdError, fmt, io, sync::Arc};

use actix_web::{HttpResponse, ResponseError, error::PayloadError, http::StatusCode};
use pierre_webhook_core::Error;

/// Why a request was rejected.
///
/// It is in the extensions of the response, even if the response is your own, so a middleware can count or log it. As
/// an error it responds with the status of the rule and problem details (RFC 9457). `Display` is the text that the
/// sender is told.
///
/// If a lookup or the body failed, the cause is in [`source`](StdError::source) and nowhere else: neither `Display`
/// nor `Debug` prints it, since the error of a lookup may hold a password.
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

    pub(crate) fn unreadable(source: PayloadError) -> Self {
        let error = match source {
            PayloadError::Overflow => Error::BodyTooLargeForServer,
            _ => Error::BodyUnreadable,
        };
        Self { source: Some(Arc::new(source)), ..error.into() }
    }

    pub(crate) fn look_up_timed_out() -> Self {
        Self::unavailable(timed_out("the lookup took too long").into())
    }

    pub(crate) fn body_timed_out() -> Self {
        Self::unreadable(PayloadError::Io(timed_out("the body took too long")))
    }

    /// Adds the tenant whose verifier rejected the request.
    pub(crate) fn of(self, tenant: Option<Arc<str>>) -> Self {
        Self { tenant, ..self }
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

fn timed_out(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, text)
}

/// Problem details for a mistake in the configuration of a route.
pub(crate) fn problem(mistake: &impl ResponseError, code: &'static str) -> HttpResponse {
    let status = mistake.status_code();
    HttpResponse::build(status)
        .content_type(pierre_webhook_core::PROBLEM_JSON)
        .body(pierre_webhook_core::problem_json(status.as_u16(), code, &mistake.to_string()))
}
