//! What came of a delivery, as it must be and as it was.

use std::fmt;

/// The status and whether the handler ran, with what it saw or why it did not.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) status: u16,
    /// What the handler said it saw, each time that it ran.
    pub(crate) seen: Vec<String>,
    /// The reason in the answer, where it has one.
    pub(crate) reason: Option<String>,
}

impl Outcome {
    /// The handler ran once, saw this, and answered "no content".
    pub(crate) fn handled(seen: &str) -> Self {
        Self { status: 204, seen: vec![seen.to_owned()], reason: None }
    }

    /// The handler did not run.
    pub(crate) fn refused(status: u16, reason: &str) -> Self {
        Self { status, seen: Vec::new(), reason: Some(reason.to_owned()) }
    }
}

/// The outcome without its status, for a reader. Texts come off the wire, so they are escaped.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = self.reason.as_deref().map(str::escape_debug);
        match (&*self.seen, reason) {
            ([seen], None) => write!(f, "handler saw: {seen}"),
            ([], Some(reason)) => write!(f, "refused: {reason}"),
            (seen, None) => write!(f, "handler ran {} times, no reason given", seen.len()),
            (seen, Some(reason)) => write!(f, "handler ran {} times, and {reason}", seen.len()),
        }
    }
}
