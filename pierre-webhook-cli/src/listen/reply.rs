//! The reply to a sender: core's answer to a rejected delivery, the forward's answer, or the command's own.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::Full;
use pierre_webhook_core::{Error, PROBLEM_JSON, problem_json};

/// A reply to a sender.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Reply {
    fn ok() -> Self {
        Self { status: StatusCode::OK, headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// The delivery is accepted, and delivered later.
    pub(super) fn held() -> Self {
        Self { status: StatusCode::ACCEPTED, ..Self::ok() }
    }

    /// Returns the answer to a delivery that nothing else answers.
    pub(super) fn to(verdict: &Result<usize, Error>) -> Self {
        match verdict {
            Ok(_) => Self::ok(),
            Err(error) => Self::rejection(error),
        }
    }

    /// Returns core's answer to a rejected delivery.
    fn rejection(error: &Error) -> Self {
        let headers = error
            .headers()
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        Self {
            status: StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::BAD_REQUEST),
            headers: headers.collect(),
            body: error.problem_json().into(),
        }
    }

    /// Returns problem details of the command's own.
    pub(super) fn problem(status: StatusCode, code: &'static str, detail: &str) -> Self {
        let content_type = HeaderValue::from_static(PROBLEM_JSON);
        Self {
            status,
            headers: HeaderMap::from_iter([(CONTENT_TYPE, content_type)]),
            body: problem_json(status.as_u16(), code, detail).into(),
        }
    }

    pub(super) fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}
