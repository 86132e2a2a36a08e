//! An application that deliveries are forwarded to, and whether it is down.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use jiff::SignedDuration;
use pierre_webhook_core::SIGNATURE_HEADER;
use tokio::time::sleep;

use super::{
    args::ForwardArgs,
    counts::Counts,
    forwarded::Forwarded,
    held::{Held, HeldDelivery},
    receive::Received,
    reply::Reply,
    report::report_redelivery,
};
use crate::{
    client::{Client, NoAnswer, NoAnswerKind, Outgoing, Target, without_connection_headers},
    escape,
    exit::Failure,
    output::Output,
    secrets::Secrets,
    time,
};

/// What all applications share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) secrets: Arc<Secrets>,
    pub(super) output: Arc<Output>,
    pub(super) counts: Arc<Counts>,
}

/// An application.
pub(super) struct Application {
    client: Client,
    target: Target,
    is_answer_shown: bool,
    holds: bool,
    shared: Shared,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    is_down: bool,
    /// Empty unless it is down.
    held: Held,
}

impl Application {
    pub(super) fn new(target: Target, args: &ForwardArgs, shared: Shared) -> Result<Self, Failure> {
        /// As long as senders usually wait for an answer.
        const TIMEOUT: Duration = Duration::from_secs(30);
        const MAX_ANSWER: usize = 16 << 20;
        let client = Client::new(TIMEOUT, &args.trust, &target, MAX_ANSWER)?;
        let (is_answer_shown, holds) = (args.show_answer, args.hold);
        Ok(Self { client, target, is_answer_shown, holds, shared, state: Mutex::default() })
    }

    pub(super) fn url(&self) -> String {
        self.target.url()
    }

    /// Returns how many deliveries are held.
    pub(super) fn held(&self) -> usize {
        self.state().held.len()
    }

    /// Forwards a delivery as it arrived, and returns the answer. With `--hold`, a delivery waits if the application is
    /// down, or if earlier ones still wait.
    pub(super) async fn send(
        self: &Arc<Self>,
        received: &Received,
        body: Bytes,
    ) -> (Reply, Forwarded) {
        let head = &received.head;
        let request =
            Outgoing::forwarded(head.method.clone(), &head.headers, body, head.extensions.clone());
        let held = self.holds.then(|| HeldDelivery {
            n: received.n,
            request: request.clone(),
            matched_secret: received.verdict.as_ref().ok().copied(),
            since: Instant::now(),
        });
        if let Some(held) = &held {
            let mut state = self.state();
            if state.is_down {
                return hold(&mut state, held.clone(), "the application is down", Duration::ZERO);
            }
        }
        match self.client.exchange(&self.target, request).await {
            Ok(answer) if answer.is_truncated => {
                self.is_up();
                let text = "the answer is larger than 16 MiB";
                failed(StatusCode::BAD_GATEWAY, text, answer.time)
            }
            Ok(answer) => {
                self.is_up();
                let forwarded = Forwarded::answered(&answer, self.is_answer_shown);
                let headers = without_connection_headers(&answer.headers);
                (Reply { status: answer.status, headers, body: answer.body }, forwarded)
            }
            Err(NoAnswer { text, kind: NoAnswerKind::NotConnected, time }) => {
                let mut state = self.is_down(&text);
                match held {
                    Some(held) => hold(&mut state, held, &text, time),
                    None => failed(StatusCode::BAD_GATEWAY, &text, time),
                }
            }
            Err(NoAnswer { text, kind: NoAnswerKind::TimedOut, time }) => {
                failed(StatusCode::GATEWAY_TIMEOUT, &text, time)
            }
            Err(NoAnswer { text, time, .. }) => failed(StatusCode::BAD_GATEWAY, &text, time),
        }
    }

    /// Says once that the application is down, and waits in the background until it is back.
    fn is_down(self: &Arc<Self>, text: &str) -> MutexGuard<'_, State> {
        let mut state = self.state();
        if !state.is_down {
            state.is_down = true;
            self.warn_that_it_is_down(text);
            tokio::spawn(Arc::clone(self).wait_until_it_is_back());
        }
        state
    }

    fn warn_that_it_is_down(&self, text: &str) {
        let url = self.target.url();
        self.shared.output.warn(format_args!("{url} is down: {}", escape::truncated(text, 200)));
    }

    /// Says that the application is back, unless a delivery waits to be the first. Those are sent by the task that
    /// waits.
    fn is_up(&self) {
        let mut state = self.state();
        if state.is_down && !self.holds {
            state.is_down = false;
            self.shared.output.note(format_args!("{} is back", self.target.url()));
        }
    }

    async fn wait_until_it_is_back(self: Arc<Self>) {
        const PAUSE: Duration = Duration::from_secs(1);
        loop {
            sleep(PAUSE).await;
            if !self.state().is_down {
                return;
            }
            if !self.client.can_connect(&self.target).await {
                continue;
            }
            if !self.holds {
                return self.is_up();
            }
            let held = self.held();
            self.shared.output.note(format_args!("{} is back, {held} held", self.target.url()));
            match self.deliver_held().await {
                Ok(()) => return,
                Err(text) => self.warn_that_it_is_down(&text),
            }
        }
    }

    /// Sends what is held, in order. Returns why it can't connect, if the application is down again.
    async fn deliver_held(&self) -> Result<(), String> {
        loop {
            let first = {
                let mut state = self.state();
                let Some(first) = state.held.first().cloned() else {
                    state.is_down = false;
                    return Ok(());
                };
                first
            };
            let (n, since) = (first.n, first.since);
            let forwarded = match self.client.exchange(&self.target, self.signed_again(first)).await
            {
                Ok(answer) => Forwarded::answered(&answer, self.is_answer_shown),
                Err(NoAnswer { text, kind: NoAnswerKind::NotConnected, .. }) => return Err(text),
                Err(NoAnswer { text, time, .. }) => {
                    self.shared.counts.failed();
                    Forwarded::failed(&text, time)
                }
            };
            self.state().held.remove_first();
            if let Err(failure) = report_redelivery(&self.shared.output, n, since, &forwarded) {
                self.shared.counts.stop(failure);
            }
        }
    }

    /// Signs a delivery that verified again, as a sender's retry would be. It may be too old by now.
    fn signed_again(&self, held: HeldDelivery) -> Outgoing {
        let HeldDelivery { mut request, matched_secret, .. } = held;
        let secret = matched_secret.and_then(|index| self.shared.secrets.get(index));
        let signature = secret
            .map(|secret| secret.sign(time::signed_at(SignedDuration::ZERO), &request.body))
            .and_then(|signature| HeaderValue::try_from(signature).ok());
        if let Some(signature) = signature {
            request.headers.insert(SIGNATURE_HEADER, signature);
        }
        request
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hold(state: &mut State, held: HeldDelivery, why: &str, time: Duration) -> (Reply, Forwarded) {
    if state.held.push(held) {
        return (Reply::held(), Forwarded::held(why, time));
    }
    let detail = "Too many deliveries are held";
    (
        Reply::problem(StatusCode::SERVICE_UNAVAILABLE, "too_many_held", detail),
        Forwarded::failed("too many deliveries are held", time),
    )
}

fn failed(status: StatusCode, text: &str, time: Duration) -> (Reply, Forwarded) {
    let detail = format!("The forward failed: {text}");
    (Reply::problem(status, "forward_failed", &detail), Forwarded::failed(text, time))
}
