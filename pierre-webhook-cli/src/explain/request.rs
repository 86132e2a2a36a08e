//! The request to explain.

use bytes::Bytes;
use jiff::Timestamp;
use pierre_webhook_core::{EVENT_HEADER, SIGNATURE_HEADER};

/// The headers and body of a request, in whatever form it was recorded.
#[derive(Debug)]
pub(super) struct RecordedRequest {
    /// When it arrived, if known.
    pub(super) at: Option<Timestamp>,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Bytes,
    /// The body is shorter than its framing says.
    pub(super) is_incomplete: bool,
}

impl RecordedRequest {
    pub(super) fn from_parts(signature: &str, event: &str, body: Bytes) -> Self {
        let headers = [(SIGNATURE_HEADER, signature), (EVENT_HEADER, event)];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        Self { at: None, headers: headers.into(), body, is_incomplete: false }
    }

    /// Returns the names and values of the headers.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }
}
