//! A stream that survives failed writes, so that the answer can still be read.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::stream::Stream;

/// Ignores writes that the server no longer reads. A server that rejects a request by its head answers and closes
/// while the body is still being sent; without this, the write error would hide the answer.
pub(super) struct Patient(pub(super) Box<dyn Stream>);

/// Returns `success` instead of an error if the server has closed the connection.
fn ignore_closed<T>(result: io::Result<T>, success: T) -> io::Result<T> {
    match result {
        Err(error)
            if [io::ErrorKind::BrokenPipe, io::ErrorKind::ConnectionReset]
                .contains(&error.kind()) =>
        {
            Ok(success)
        }
        result => result,
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = ready!(Pin::new(&mut self.0).poll_write(cx, bytes));
        Poll::Ready(ignore_closed(result, bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = ready!(Pin::new(&mut self.0).poll_flush(cx));
        Poll::Ready(ignore_closed(result, ()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = ready!(Pin::new(&mut self.0).poll_shutdown(cx));
        Poll::Ready(ignore_closed(result, ()))
    }
}
