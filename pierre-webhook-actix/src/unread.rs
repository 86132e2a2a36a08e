//! A request's body, which outlives a rejection if part of it is unread.
//!
//! Actix reads a chunked body that was dropped to its end, however long that is. If the body is still alive when the
//! response has been sent, actix closes the connection instead.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use actix_web::{
    dev::Payload,
    error::PayloadError,
    rt::{self, time::sleep},
    web::Bytes,
};
use futures_core::Stream;

/// How long each chunk of an unread body waits. Reading slowly holds the sender back, and reading at all is how the end
/// of the connection is noticed.
const PAUSE: Duration = Duration::from_secs(1);

/// The body of a request. If it is dropped before its end, it is kept until actix has sent the response and closed the
/// connection.
pub(crate) struct UnreadBody {
    payload: Payload,
}

impl UnreadBody {
    pub(crate) fn new(payload: Payload) -> Self {
        Self { payload }
    }

    pub(crate) fn was_taken(&self) -> bool {
        matches!(self.payload, Payload::None)
    }

    /// Returns the next chunk; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, PayloadError>> {
        let chunk = poll_fn(|cx| poll_next(&mut self.payload, cx)).await;
        if !matches!(chunk, Some(Ok(_))) {
            self.payload = Payload::None;
        }
        chunk
    }
}

impl Drop for UnreadBody {
    fn drop(&mut self) {
        // Only an HTTP/1 connection reads on. Over HTTP/2 each stream has a window, which holds the sender back.
        if matches!(self.payload, Payload::H1 { .. }) {
            let mut payload = self.payload.take();
            if may_have_more(&mut payload) {
                rt::spawn(keep(payload));
            }
        }
    }
}

/// Keeps a body until its connection is closed.
async fn keep(mut payload: Payload) {
    while let Some(Ok(_)) = poll_fn(|cx| poll_next(&mut payload, cx)).await {
        sleep(PAUSE).await;
    }
}

/// Skips what has arrived. `false` if that was all of the body.
fn may_have_more(payload: &mut Payload) -> bool {
    const CHUNKS: usize = 64;
    let mut cx = Context::from_waker(Waker::noop());
    // `true`, too, if more has arrived than actix ever buffers.
    !(0..CHUNKS)
        .map_while(|_| match poll_next(payload, &mut cx) {
            Poll::Ready(chunk) => Some(chunk),
            Poll::Pending => None,
        })
        .any(|chunk| !matches!(chunk, Some(Ok(_))))
}

fn poll_next(
    payload: &mut Payload,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Bytes, PayloadError>>> {
    Pin::new(payload).poll_next(cx)
}
