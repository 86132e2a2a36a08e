//! The receiver's responses.

use pierre_webhook_core::{PROBLEM_JSON, problem_json};

use crate::{entry::Inserted, error::InboxError};

/// How long the sender is asked to wait if the delivery could not be stored, in seconds.
const RETRY_AFTER: &str = "5";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The delivery is committed, now or before.
    Stored,
    NotStored {
        code: &'static str,
    },
    /// No layer outside of the receiver has verified the request.
    #[cfg(feature = "tower")]
    NotVerified,
}

impl Answer {
    pub(crate) fn of(result: &Result<Inserted, InboxError>) -> Self {
        result
            .as_ref()
            .map_or_else(|error| Self::NotStored { code: error.code() }, |_| Self::Stored)
    }

    pub(crate) fn status(self) -> u16 {
        match self {
            Self::Stored => 200,
            Self::NotStored { .. } => 503,
            #[cfg(feature = "tower")]
            Self::NotVerified => 500,
        }
    }

    /// Problem details (RFC 9457), or empty for a success.
    pub(crate) fn body(self) -> Vec<u8> {
        let (code, detail) = match self {
            Self::Stored => return Vec::new(),
            Self::NotStored { code } => (code, "Webhook inbox is not available"),
            #[cfg(feature = "tower")]
            Self::NotVerified => (
                "webhook_not_verified",
                "Webhook is not verified: add VerifyWebhookLayer outside of the inbox's receiver",
            ),
        };
        problem_json(self.status(), code, detail)
    }

    /// The headers, with lower-case names.
    pub(crate) fn headers(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let content_type = (self != Self::Stored).then_some(("content-type", PROBLEM_JSON));
        let retry_after =
            matches!(self, Self::NotStored { .. }).then_some(("retry-after", RETRY_AFTER));
        content_type.into_iter().chain(retry_after)
    }
}
