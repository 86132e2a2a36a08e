//! A body that does as an input says.

use std::{
    cell::Cell,
    error::Error,
    fmt,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full, Limited};

use crate::chunks;

/// What happened to a body.
#[derive(Debug, Default)]
pub struct Trace {
    pub polls: Cell<usize>,
    /// How often it had nothing yet, and woke the task.
    pub pendings: Cell<usize>,
    pub is_over: Cell<bool>,
}

/// A step of a script.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    Pending,
    Trailers,
    /// A failure, after which nothing comes.
    Failure,
    /// A failure of a limit outside, as http-body-util's `Limited` gives it.
    OuterLimit,
    /// The end, before all of the body came.
    End,
    /// A frame that says that it has a byte and has none.
    Stuck,
    /// A frame of so many bytes, counted from `0`, that is two buffers inside.
    Split(u8),
    /// A frame of so many bytes, counted from `0`.
    Data(u8),
}

/// The steps of a script, one a byte; behind the last one comes the rest of the body, in one frame.
pub fn steps(script: &[u8]) -> impl Iterator<Item = Step> {
    script.iter().map(|byte| match byte {
        b'P' => Step::Pending,
        b'T' => Step::Trailers,
        b'F' => Step::Failure,
        b'L' => Step::OuterLimit,
        b'E' => Step::End,
        b'S' => Step::Stuck,
        b'A'..=b'Z' => Step::Split(byte - b'A' + b'0'),
        size => Step::Data(*size),
    })
}

pub struct ScriptedBody {
    steps: std::vec::IntoIter<Step>,
    rest: Bytes,
    trace: Rc<Trace>,
}

impl ScriptedBody {
    pub fn new(script: &[u8], body: &[u8], trace: Rc<Trace>) -> Self {
        let steps: Vec<_> = steps(script).collect();
        Self { steps: steps.into_iter(), rest: Bytes::copy_from_slice(body), trace }
    }

    fn take(&mut self, size: u8) -> Bytes {
        let mut rest = &*self.rest;
        let taken = chunks::take(&mut rest, size);
        self.rest = Bytes::copy_from_slice(rest);
        taken
    }
}

impl Body for ScriptedBody {
    type Data = Data;
    type Error = Failure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Data>, Failure>>> {
        let trace = Rc::clone(&self.trace);
        assert!(!trace.is_over.get(), "a body was polled behind its end");
        trace.polls.set(trace.polls.get() + 1);
        let data = match self.steps.next() {
            Some(Step::Pending) => {
                trace.pendings.set(trace.pendings.get() + 1);
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Some(Step::Trailers) => {
                return Poll::Ready(Some(Ok(Frame::trailers(HeaderMap::new()))));
            }
            Some(step @ (Step::Failure | Step::OuterLimit)) => {
                trace.is_over.set(true);
                return Poll::Ready(Some(Err(Failure::of(step))));
            }
            Some(Step::End) => {
                trace.is_over.set(true);
                return Poll::Ready(None);
            }
            Some(Step::Stuck) => Data::Stuck,
            Some(Step::Split(size)) => {
                let first = self.take(size);
                Data::Chained(first.chain(self.take(size)))
            }
            Some(Step::Data(size)) => Data::Whole(self.take(size)),
            None if self.rest.is_empty() => {
                trace.is_over.set(true);
                return Poll::Ready(None);
            }
            None => Data::Whole(std::mem::take(&mut self.rest)),
        };
        Poll::Ready(Some(Ok(Frame::data(data))))
    }
}

/// The data of a frame.
pub enum Data {
    Whole(Bytes),
    Chained(bytes::buf::Chain<Bytes, Bytes>),
    Stuck,
}

impl Buf for Data {
    fn remaining(&self) -> usize {
        match self {
            Self::Whole(bytes) => bytes.remaining(),
            Self::Chained(chain) => chain.remaining(),
            Self::Stuck => 1,
        }
    }

    fn chunk(&self) -> &[u8] {
        match self {
            Self::Whole(bytes) => bytes.chunk(),
            Self::Chained(chain) => chain.chunk(),
            Self::Stuck => &[],
        }
    }

    fn advance(&mut self, count: usize) {
        match self {
            Self::Whole(bytes) => bytes.advance(count),
            Self::Chained(chain) => chain.advance(count),
            Self::Stuck => assert_eq!(count, 0, "nothing is there"),
        }
    }
}

/// Why a body failed.
#[derive(Debug)]
pub struct Failure {
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    fn of(step: Step) -> Self {
        // Of `LengthLimitError` only `Limited` makes one.
        let mut limited = Limited::new(Full::new(Bytes::from_static(b"x")), 0);
        let mut frame = std::pin::pin!(limited.frame());
        let over = frame.as_mut().poll(&mut Context::from_waker(std::task::Waker::noop()));
        let source = match over {
            Poll::Ready(Some(Err(error))) if step == Step::OuterLimit => Some(error),
            _ => None,
        };
        Self { source }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the script says so")
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
