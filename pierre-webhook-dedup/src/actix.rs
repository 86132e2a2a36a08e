//! The actix middleware; and actix handlers may return `Once` and `OnceError`.

mod middleware;
mod service;

use actix_web::{
    HttpRequest, HttpResponse, Responder, ResponseError, body::BoxBody, http::StatusCode,
};

pub use self::{middleware::DedupMiddleware, service::DedupMiddlewareService};
use crate::{
    answer::Answer,
    once::{Once, OnceError},
};

/// Answers with the value, with 200 if the delivery has already been handled, or with 503 and `Retry-After` if
/// it is being handled.
impl<T: Responder> Responder for Once<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        match self {
            Self::Ran { value, .. } => value.respond_to(request).map_into_boxed_body(),
            Self::InProgress { retry_after } => respond(&Answer::InProgress { retry_after }),
            Self::Completed => respond(&Answer::Completed),
        }
    }
}

/// Answers like the work's error, or with 503 and `Retry-After` if the store failed.
impl<E: ResponseError> ResponseError for OnceError<E> {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Work(error) => error.status_code(),
            Self::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Work(error) => error.error_response(),
            Self::Store(_) => respond(&Answer::StoreFailed),
        }
    }
}

fn respond(answer: &Answer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    for header in answer.headers() {
        response.insert_header(header);
    }
    response.body(answer.body())
}
