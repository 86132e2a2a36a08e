//! The body of a request, in one piece or in several.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

/// The body's bytes. With its length known, it is sent under `Content-Length`, otherwise in chunks.
pub(crate) struct Body {
    rest: Bytes,
    chunk: usize,
    is_chunked: bool,
}

impl Body {
    pub(crate) fn new(bytes: Bytes, is_chunked: bool) -> Self {
        /// So that even a small body comes in several chunks.
        const CHUNKS: usize = 4;
        const LARGEST: usize = 16 << 10;
        let chunk =
            if is_chunked { bytes.len().div_ceil(CHUNKS).min(LARGEST) } else { bytes.len() };
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
        // A chunked body must be announced as one even where it is empty.
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
