//! The way of a delivery through `listen`: read, told apart, saved, answered, reported.

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
    ListenArgs,
    answer::{Answer, Forward, Forwarded},
    memory::{Memory, Sighting},
    receive::{Received, receive},
    report::{Report, report},
};
use crate::{
    exit::{Exit, Failure},
    output::Output,
    saved::{Folder, Saved},
    secrets::Secrets,
};

/// How many deliveries are told apart from their duplicates.
const REMEMBERED: usize = 100_000;

/// What the connections share.
pub(super) struct State {
    verifier: Verifier,
    limit: usize,
    forward: Option<Forward>,
    folder: Option<Folder>,
    fail: u64,
    delay: Duration,
    most: Option<u64>,
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
    /// Something other than the verdict went wrong: the forward, or the saving.
    failed: u64,
    /// Why it cannot go on.
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
            most: args.count,
            output,
            arrived: AtomicU64::new(0),
            memory: Mutex::new(Memory::new(REMEMBERED)),
            counts: Mutex::default(),
            done: Notify::new(),
        })
    }

    /// Takes a delivery from its head to its answer, which is given back once all else is done.
    pub(super) async fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Response<Full<Bytes>> {
        let n = self.arrived.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if self.most.is_some_and(|most| n > most) {
            let detail = "No more deliveries are taken";
            return Answer::problem(StatusCode::SERVICE_UNAVAILABLE, detail).into_response();
        }
        let (head, body) = request.into_parts();
        let received = receive(n, &self.verifier, self.limit, head, body).await;
        let sighting = received.id().map(|id| {
            let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            memory.see(n, id, received.signature())
        });
        let saved = self.save(&received);
        let (answer, forwarded) = self.answer(&received, sighting).await;
        let reported = report(
            &self.output,
            &Report {
                received: &received,
                status: answer.status,
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
        answer.into_response()
    }

    fn save(&self, received: &Received) -> Option<PathBuf> {
        let (folder, body) = (self.folder.as_ref()?, received.body.as_ref()?);
        let saved = Saved::new(received.at, &received.head, body);
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

    async fn answer(
        &self,
        received: &Received,
        sighting: Option<Sighting>,
    ) -> (Answer, Option<Forwarded>) {
        if let Some(Sighting { tries, .. }) = sighting
            && tries <= self.fail
        {
            let detail = format!("Told to fail: try {tries} of {}", self.fail);
            return (Answer::problem(StatusCode::SERVICE_UNAVAILABLE, &detail), None);
        }
        let forward = self.forward.as_ref();
        let forward = forward.filter(|forward| received.verdict.is_ok() || !forward.only_verified);
        if let (Some(forward), Some(body)) = (forward, &received.body) {
            let (answer, forwarded) = forward.send(received, body.clone()).await;
            return (answer, Some(forwarded));
        }
        match &received.verdict {
            Ok(_) => (Answer::ok(), None),
            Err(error) => (Answer::refused(error), None),
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

    /// A delivery is reported before its delay, and counts for the end once that is over.
    fn answered(&self) {
        let mut counts = self.counts();
        counts.answered = counts.answered.saturating_add(1);
        if counts.failure.is_some() || self.most.is_some_and(|most| counts.answered >= most) {
            self.done.notify_one();
        }
    }

    /// There were as many deliveries as were asked for, or it cannot go on.
    pub(super) async fn is_done(&self) {
        self.done.notified().await;
    }

    pub(super) fn take_failure(&self) -> Option<Failure> {
        self.counts().failure.take()
    }

    /// Says what there was, and how that is to be judged.
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
