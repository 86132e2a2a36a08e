//! Problem details, the body of a rejection (RFC 9457).

/// The content type of [`problem_json`]: `application/problem+json`.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Returns problem details (RFC 9457) as JSON. For responses of an adapter that don't stem from an
/// [`Error`](crate::Error), such as the 500 of a route without a layer. The title is the status's name in RFC 9110.
/// `code` names the reason, as [`Error::code`](crate::Error::code) does: lower-case letters and underscores.
///
/// ```
/// assert_eq!(
///     pierre_webhook_core::problem_json(500, "no_layer", "No layer"),
///     br#"{"type":"about:blank","title":"Internal Server Error","status":500,"detail":"No layer","code":"no_layer"}"#,
/// );
/// ```
pub fn problem_json(status: u16, code: &'static str, detail: &str) -> Vec<u8> {
    let title = match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        413 => "Content Too Large",
        422 => "Unprocessable Content",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Error",
    };
    let detail = serde_json::Value::from(detail);
    format!(
        r#"{{"type":"about:blank","title":"{title}","status":{status},"detail":{detail},"code":"{code}"}}"#
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_the_title_of_rfc_9110() {
        for (status, title) in [
            (400, "Bad Request"),
            (401, "Unauthorized"),
            (413, "Content Too Large"),
            (422, "Unprocessable Content"),
            (500, "Internal Server Error"),
            (503, "Service Unavailable"),
        ] {
            let expected = format!(
                r#"{{"type":"about:blank","title":"{title}","status":{status},"detail":"d","code":"c"}}"#
            );
            assert_eq!(String::from_utf8(problem_json(status, "c", "d")).unwrap(), expected);
        }
    }
}
