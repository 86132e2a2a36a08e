//! What a connection is made of.

use tokio::io::{AsyncRead, AsyncWrite};

/// A stream of bytes, with or without TLS.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}
