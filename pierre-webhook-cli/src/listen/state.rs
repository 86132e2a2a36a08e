//! Takes each delivery through `listen`: read, recognize, save, answer, report.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use pierre_webhook_core::Verifier;
use tokio::{sync::Notify, time::sleep};

use super::{
    args::ListenArgs,
    forward::{Forward, Forwarded},
    memory::{Memory, Sighting},
    receive::{Received, receive},
    reply::Reply,
    report::{Report, report},
};
use crate::{
    exit::{Exit, Failure},
    output::Output,
    saved::{Folder, SavedDelivery},
    secrets::Secrets,
};

/// How many deliveries are remembered, to recognize their duplicates.
const REMEMBERED: usize = 100_000;

/// Shared by all connections.
pub(super) struct State {
    verifier: Verifier,
    limit: usize,
    forward: Option<Forward>,
    folder: Option<Folder>,
    fail: u64,
    delay: Duration,
    max: Option<u64>,
    output: Arc<Output>,
    arrived: AtomicU64,
    memory: Mutex<Memory>,
    counts: Mutex<Counts>,
    done: Notify,
}

#[derive(Default)]
struct Counts {
    verified: u64,
    refused: u64,
    answered: u64,
    /// Deliveries that could not be forwarded or saved.
    failed: u64,
    /// Why the command cannot continue.
    failure: Option<Failure>,
}

impl State {
    pub(super) fn new(
        args: &ListenArgs,
        secrets: &Secrets,
        output: Arc<Output>,
    ) -> Result<Self, Failure> {
        let forward = args.forward_to.clone();
        let forward = forward.map(|target| Forward::new(target, &args.trust, args.only_verified));
        Ok(Self {
            verifier: args.verifier.verifier(secrets),
            limit: args.verifier.body_limit,
            forward: forward.transpose()?,
            folder: args.save.as_deref().map(Folder::open).transpose()?,
            fail: args.fail,
            delay: args.delay,
            max: args.count,
            output,
            arrived: AtomicU64::new(0),
            memory: Mutex::new(Memory::new(REMEMBERED)),
            counts: Mutex::default(),
            done: Notify::new(),
        })
    }

    /// Handles a request. The answer is returned last, after everything else is done.
    pub(super) async fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Response<Full<Bytes>> {
        let n = self.arrived.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if self.max.is_some_and(|max| n > max) {
            let detail = "No more deliveries are accepted";
            return Reply::problem(StatusCode::SERVICE_UNAVAILABLE, "enough_deliveries", detail)
                .into_response();
        }
        let (head, body) = request.into_parts();
        let received = receive(n, &self.verifier, self.limit, head, body).await;
        let sighting = received.id().map(|id| {
            let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            memory.see(n, id, received.signature())
        });
        let saved = self.save(&received);
        let (reply, forwarded) = self.reply(&received, sighting).await;
        let reported = report(
            &self.output,
            &Report {
                received: &received,
                status: reply.status,
                duplicate: sighting.and_then(|sighting| sighting.duplicate),
                forwarded: forwarded.as_ref(),
                saved: saved.as_deref(),
            },
        );
        let is_failed = forwarded.is_some_and(|forwarded| forwarded.status.is_none());
        self.count(&received, is_failed, reported);
        if !self.delay.is_zero() {
            sleep(self.delay).await;
        }
        self.answered();
        reply.into_response()
    }

    fn save(&self, received: &Received) -> Option<PathBuf> {
        let (folder, body) = (self.folder.as_ref()?, received.body.as_ref()?);
        let saved = SavedDelivery::new(received.at, &received.head, body);
        match folder.save(received.n, &saved) {
            Ok(path) => Some(path),
            Err(error) => {
                self.output.error(&format!("cannot save #{}: {error}", received.n));
                let mut counts = self.counts();
                counts.failed = counts.failed.saturating_add(1);
                None
            }
        }
    }

    async fn reply(
        &self,
        received: &Received,
        sighting: Option<Sighting>,
    ) -> (Reply, Option<Forwarded>) {
        if let Some(Sighting { tries, .. }) = sighting
            && tries <= self.fail
        {
            let detail = format!("Failing as requested: attempt {tries} of {}", self.fail);
            return (
                Reply::problem(StatusCode::SERVICE_UNAVAILABLE, "failing_as_requested", &detail),
                None,
            );
        }
        let forward = self.forward.as_ref();
        let forward = forward.filter(|forward| received.verdict.is_ok() || !forward.only_verified);
        if let (Some(forward), Some(body)) = (forward, &received.body) {
            let (reply, forwarded) = forward.send(received, body.clone()).await;
            return (reply, Some(forwarded));
        }
        match &received.verdict {
            Ok(_) => (Reply::ok(), None),
            Err(error) => (Reply::rejection(error), None),
        }
    }

    fn count(&self, received: &Received, is_failed: bool, reported: Result<(), Failure>) {
        let mut counts = self.counts();
        let count = match received.verdict {
            Ok(_) => &mut counts.verified,
            Err(_) => &mut counts.refused,
        };
        *count = count.saturating_add(1);
        counts.failed = counts.failed.saturating_add(is_failed.into());
        if let Err(failure) = reported {
            counts.failure.get_or_insert(failure);
        }
    }

    /// Counts an answered delivery. It is reported before its delay, but counts towards `--count` only after it.
    fn answered(&self) {
        let mut counts = self.counts();
        counts.answered = counts.answered.saturating_add(1);
        if counts.failure.is_some() || self.max.is_some_and(|max| counts.answered >= max) {
            self.done.notify_one();
        }
    }

    /// Waits until `--count` is reached or the command cannot continue.
    pub(super) async fn is_done(&self) {
        self.done.notified().await;
    }

    pub(super) fn take_failure(&self) -> Option<Failure> {
        self.counts().failure.take()
    }

    /// Reports the counts, and returns the exit code.
    pub(super) fn conclude(&self) -> Exit {
        let counts = self.counts();
        let (verified, refused, failed) = (counts.verified, counts.refused, counts.failed);
        drop(counts);
        self.output.note(format_args!("{verified} verified, {refused} refused"));
        if failed > 0 {
            Exit::Failed
        } else if refused > 0 {
            Exit::Negative
        } else {
            Exit::AsExpected
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
