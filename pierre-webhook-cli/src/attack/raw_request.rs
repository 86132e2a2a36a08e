//! Requests that no HTTP library would send.

use pierre_webhook_core::{EVENT_HEADER, SIGNATURE_HEADER};

/// A request, byte for byte.
#[derive(Clone, Debug)]
pub(super) struct RawRequest {
    pub(super) headers: Vec<(&'static str, Vec<u8>)>,
    pub(super) body: Vec<u8>,
    pub(super) framing: Framing,
}

/// How the body is sent.
#[derive(Clone, Debug)]
pub(super) enum Framing {
    /// With its length.
    Length,
    /// With this length instead of its own.
    Declared(u64),
    /// In pieces, with pauses between them.
    Slow,
    /// In two pieces, split at this byte.
    Split(usize),
    /// In chunks of this size.
    Chunked(usize),
    /// Only its first half.
    Truncated,
}

/// Returns the documented form of a signature header.
pub(super) fn signature(timestamp: &str, digits: &str) -> String {
    format!("t={timestamp},sha256={digits}")
}

impl RawRequest {
    pub(super) fn new(event: &str, signature: &str, body: Vec<u8>) -> Self {
        let headers = vec![(EVENT_HEADER, event.into()), (SIGNATURE_HEADER, signature.into())];
        Self { headers, body, framing: Framing::Length }
    }

    pub(super) fn framed(self, framing: Framing) -> Self {
        Self { framing, ..self }
    }

    /// Replaces the body, and keeps the signature.
    pub(super) fn with_body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// Replaces the value of a header.
    pub(super) fn with_header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        if let Some((_, old)) = self.headers.iter_mut().find(|(other, _)| *other == name) {
            *old = value.into();
        }
        self
    }

    pub(super) fn without_header(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| *other != name);
        self
    }

    /// Adds a header line.
    pub(super) fn with_line(mut self, name: &'static str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn header(&self, name: &str) -> Vec<u8> {
        let found = self.headers.iter().find(|(other, _)| *other == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }
}
