//! The text of an answer: the server's reason, or all of it.

use http::header::{CONTENT_TYPE, LOCATION};
use pierre_webhook_core::PROBLEM_JSON;

use crate::{client::Answer, escape, problem};

/// Returns the reason that the answer itself gives: the `detail` of problem details, or the target of a redirect.
/// It is not escaped.
pub(super) fn reason(answer: &Answer) -> Option<String> {
    if answer.status.is_redirection() {
        let location = answer.headers.get(LOCATION)?;
        return Some(format!("to {}, not followed", String::from_utf8_lossy(location.as_bytes())));
    }
    let content_type = answer.headers.get(CONTENT_TYPE)?.to_str().ok()?;
    if !content_type.starts_with(PROBLEM_JSON) {
        return None;
    }
    problem::detail(&answer.body)
}

/// Returns the headers and the body. Each line starts with a mark, so that the server cannot imitate the command's
/// own lines.
pub(crate) fn in_full(answer: &Answer) -> String {
    let mut lines = Vec::new();
    for (name, value) in &answer.headers {
        lines.push(format!("    < {name}: {}", escape::bytes(value.as_bytes())));
    }
    if !answer.body.is_empty() {
        lines.push("    <".to_owned());
        for line in answer.body.split(|byte| *byte == b'\n') {
            lines.push(format!("    < {}", escape::bytes(line)));
        }
    }
    if answer.is_truncated {
        lines.push("    < …".to_owned());
    }
    lines.join("\n")
}
