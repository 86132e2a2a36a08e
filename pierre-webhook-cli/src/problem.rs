//! Problem details (RFC 9457), as servers answer with them.

use serde::Deserialize;

#[derive(Deserialize)]
struct ProblemDetails {
    detail: String,
}

/// Returns the `detail` of a problem details body: the server's own reason.
pub(crate) fn detail(body: &[u8]) -> Option<String> {
    serde_json::from_slice(body).ok().map(|ProblemDetails { detail }| detail)
}
