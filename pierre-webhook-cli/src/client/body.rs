//! The body of an outgoing request.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

/// The bytes of a body, sent with a `Content-Length` or in chunks.
pub(crate) struct Body {
    rest: Bytes,
    chunk: usize,
    is_chunked: bool,
}

impl Body {
    pub(crate) fn new(bytes: Bytes, is_chunked: bool) -> Self {
        /// A small body is sent in several chunks too.
        const MIN_CHUNKS: usize = 4;
        const MAX_CHUNK: usize = 16 << 10;
        let chunk =
            if is_chunked { bytes.len().div_ceil(MIN_CHUNKS).min(MAX_CHUNK) } else { bytes.len() };
        Self { rest: bytes, chunk, is_chunked }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.chunk.min(self.rest.len());
        let data = self.rest.split_to(next);
        Poll::Ready((!data.is_empty()).then(|| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        // hyper announces a chunked body only if it isn't at its end yet, even if it is empty.
        !self.is_chunked && self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        if self.is_chunked {
            SizeHint::default()
        } else {
            SizeHint::with_exact(u64::try_from(self.rest.len()).unwrap_or(u64::MAX))
        }
    }
}
