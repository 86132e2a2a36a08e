//! The outcome of a delivery, expected or actual.

use std::fmt;

/// The status, and what the handler saw, or why it didn't run.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) status: u16,
    /// What the handler saw, once per run.
    pub(crate) seen: Vec<String>,
    /// The reason in the response, if it has one.
    pub(crate) reason: Option<String>,
}

impl Outcome {
    /// The handler ran once, saw this, and responded with 204 (No Content).
    pub(crate) fn handled(seen: &str) -> Self {
        Self { status: 204, seen: vec![seen.to_owned()], reason: None }
    }

    /// The handler didn't run.
    pub(crate) fn rejected(status: u16, reason: &str) -> Self {
        Self { status, seen: Vec::new(), reason: Some(reason.to_owned()) }
    }
}

/// Formats the outcome without its status. Texts come from the network, so they are escaped.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = self.reason.as_deref().map(str::escape_debug);
        match (&*self.seen, reason) {
            ([seen], None) => write!(f, "handler saw: {seen}"),
            ([], Some(reason)) => write!(f, "rejected: {reason}"),
            (seen, None) => write!(f, "handler ran {} times, no reason given", seen.len()),
            (seen, Some(reason)) => write!(f, "handler ran {} times, and {reason}", seen.len()),
        }
    }
}
