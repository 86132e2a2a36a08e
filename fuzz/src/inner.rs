//! The lookup and the service behind the layer: they do what a script says, count, and panic if they are
//! misused.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    mem,
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
    /// How often lookup or service had nothing yet, and woke the task.
    pub pendings: Cell<usize>,
    pub handled: RefCell<Option<(Webhook, Bytes)>>,
}

impl Inside {
    fn pending<T>(&self, cx: &Context<'_>) -> Poll<T> {
        self.pendings.set(self.pendings.get() + 1);
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Does one step after the other. The output is `last`, or `None` by the step `N`.
    async fn steps<T>(self: Rc<Self>, script: Vec<u8>, last: T) -> Result<Option<T>, Failed> {
        for step in script {
            match step {
                b'P' => {
                    let mut is_woken = false;
                    poll_fn(|cx| match mem::replace(&mut is_woken, true) {
                        false => self.pending(cx),
                        true => Poll::Ready(()),
                    })
                    .await;
                }
                b'N' => return Ok(None),
                b'F' => return Err(Failed),
                _ => {}
            }
        }
        Ok(Some(last))
    }
}

#[derive(Debug)]
pub struct Failed;

impl From<Failed> for Box<dyn std::error::Error + Send + Sync> {
    fn from(Failed: Failed) -> Self {
        "the script says so".into()
    }
}

pub fn finder(
    script: Vec<u8>,
    verifier: Verifier,
    inside: Rc<Inside>,
) -> impl FindVerifier<Parts> + Clone {
    move |_: &Parts| {
        inside.look_ups.set(inside.look_ups.get() + 1);
        Rc::clone(&inside).steps(script.clone(), verifier.clone())
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
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Failed>>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        if self.script.contains(&b'R') && !mem::replace(&mut self.is_asked, true) {
            return self.inside.pending(cx);
        }
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<VerifiedBody>) -> Self::Future {
        assert!(mem::take(&mut self.is_ready), "it was called without having been ready");
        self.inside.calls.set(self.inside.calls.get() + 1);
        let (mut parts, body) = request.into_parts();
        let webhook = parts.extensions.remove().expect("a verified delivery");
        self.inside.handled.replace(Some((webhook, body.into_bytes())));
        let response = Response::new(Full::from(ANSWER));
        let steps = Rc::clone(&self.inside).steps(self.script.clone(), response);
        Box::pin(async { steps.await?.ok_or(Failed) })
    }
}
