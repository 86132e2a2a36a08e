//! The service behind the layer: it counts, and fails where a contract is broken.

use std::{
    cell::{Cell, RefCell},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response, request::Parts};
use http_body_util::Full;
use pierre_webhook_tower::{FindVerifier, VerifiedBody, Verifier, Webhook};
use tower_service::Service;

pub const ANSWER: &str = "handled";

/// What happened inside.
#[derive(Default)]
pub struct Inside {
    pub look_ups: Cell<usize>,
    pub calls: Cell<usize>,
    /// How often look-up or service had nothing yet, and woke the task.
    pub pendings: Cell<usize>,
    pub handled: RefCell<Option<(Webhook, Bytes)>>,
}

impl Inside {
    fn pending<T>(&self, cx: &Context<'_>) -> Poll<T> {
        self.pendings.set(self.pendings.get() + 1);
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// A look-up or a response that does one step after the other.
pub struct Steps<T> {
    steps: std::vec::IntoIter<u8>,
    inside: Rc<Inside>,
    last: Option<T>,
}

impl<T: Unpin> Future for Steps<T> {
    /// `None` by the step `N`.
    type Output = Result<Option<T>, Failed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        assert!(self.last.is_some(), "it was polled behind its end");
        match self.steps.find(|step| b"PNF".contains(step)) {
            Some(b'P') => self.inside.pending(cx),
            Some(b'N') => {
                self.last = None;
                Poll::Ready(Ok(None))
            }
            Some(_) => {
                self.last = None;
                Poll::Ready(Err(Failed))
            }
            None => Poll::Ready(Ok(self.last.take())),
        }
    }
}

#[derive(Debug)]
pub struct Failed;

impl From<Failed> for Box<dyn std::error::Error + Send + Sync> {
    fn from(Failed: Failed) -> Self {
        "the script says so".into()
    }
}

/// A finder that does as a script says.
pub fn finder(
    script: Vec<u8>,
    verifier: Verifier,
    inside: Rc<Inside>,
) -> impl FindVerifier<Parts> + Clone {
    move |_: &Parts| {
        inside.look_ups.set(inside.look_ups.get() + 1);
        Steps {
            steps: script.clone().into_iter(),
            inside: Rc::clone(&inside),
            last: Some(verifier.clone()),
        }
    }
}

pub struct Inner {
    script: Vec<u8>,
    inside: Rc<Inside>,
    is_asked: bool,
    is_ready: bool,
}

impl Inner {
    pub fn new(script: Vec<u8>, inside: Rc<Inside>) -> Self {
        Self { script, inside, is_asked: false, is_ready: false }
    }
}

/// A clone has to become ready by itself.
impl Clone for Inner {
    fn clone(&self) -> Self {
        Self::new(self.script.clone(), Rc::clone(&self.inside))
    }
}

impl Service<Request<VerifiedBody>> for Inner {
    type Response = Response<Full<Bytes>>;
    type Error = Failed;
    type Future = Responding;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        if self.script.contains(&b'R') && !self.is_asked {
            self.is_asked = true;
            return self.inside.pending(cx);
        }
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<VerifiedBody>) -> Responding {
        assert!(self.is_ready, "it was called without having been ready");
        self.is_ready = false;
        self.inside.calls.set(self.inside.calls.get() + 1);
        let (mut parts, body) = request.into_parts();
        let webhook = parts.extensions.remove().expect("a verified delivery");
        self.inside.handled.replace(Some((webhook, body.into_bytes())));
        Responding(Steps {
            steps: self.script.clone().into_iter(),
            inside: Rc::clone(&self.inside),
            last: Some(Response::new(Full::from(ANSWER))),
        })
    }
}

pub struct Responding(Steps<Response<Full<Bytes>>>);

impl Future for Responding {
    type Output = Result<Response<Full<Bytes>>, Failed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|result| result?.ok_or(Failed))
    }
}
