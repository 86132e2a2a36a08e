//! A body that does what it is told, step by step.

use std::{
    convert::Infallible,
    error::Error,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    vec,
};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::{Body, Frame};

pub type BoxError = Box<dyn Error + Send + Sync>;

pub enum Step<D> {
    Data(D),
    Trailers,
    Fails(BoxError),
    /// Nothing is there yet, and the task is woken.
    Waits,
}

/// Counts how often it was polled and how often it had to wait. Panics if it is polled after its end.
pub struct Scripted<D> {
    steps: vec::IntoIter<Step<D>>,
    is_over: bool,
    pub polls: Arc<AtomicUsize>,
    pub waits: Arc<AtomicUsize>,
}

impl<D> Scripted<D> {
    pub fn new(steps: impl IntoIterator<Item = Step<D>>) -> Self {
        let steps = Vec::from_iter(steps).into_iter();
        Self { steps, is_over: false, polls: Arc::default(), waits: Arc::default() }
    }

    pub fn data(chunks: impl IntoIterator<Item = D>) -> Self {
        Self::new(chunks.into_iter().map(Step::Data))
    }
}

impl<D: Buf + Unpin> Body for Scripted<D> {
    type Data = D;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<D>, BoxError>>> {
        assert!(!self.is_over, "a body was polled after its end");
        self.polls.fetch_add(1, Ordering::SeqCst);
        Poll::Ready(match self.steps.next() {
            Some(Step::Data(data)) => Some(Ok(Frame::data(data))),
            Some(Step::Trailers) => Some(Ok(Frame::trailers(HeaderMap::new()))),
            Some(Step::Waits) => {
                self.waits.fetch_add(1, Ordering::SeqCst);
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Some(Step::Fails(error)) => {
                self.is_over = true;
                Some(Err(error))
            }
            None => {
                self.is_over = true;
                None
            }
        })
    }
}

/// A body that never yields anything.
pub struct Silent;

impl Body for Silent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

/// A buffer that says it has a byte and shows none.
pub struct Stuck;

impl Buf for Stuck {
    fn remaining(&self) -> usize {
        1
    }

    fn chunk(&self) -> &[u8] {
        &[]
    }

    fn advance(&mut self, count: usize) {
        assert_eq!(count, 0, "nothing is there");
    }
}
