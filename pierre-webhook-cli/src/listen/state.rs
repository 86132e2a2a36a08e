//! Takes each delivery through `listen`: read, recognize, save, answer, report.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, request::Parts};
use http_body_util::Full;
use hyper::body::Incoming;
use pierre_webhook_core::{DeliveryHeaders, Verifier};
use tokio::time::sleep;

use super::{
    application::Shared,
    args::ListenArgs,
    counts::Counts,
    forward::Forwarding,
    forwarded::Forwarded,
    memory::{Memory, Sighting},
    pattern::Pattern,
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
    events: Vec<Pattern>,
    forwarding: Forwarding,
    folder: Option<Folder>,
    fail: u64,
    delay: Duration,
    max: Option<u64>,
    output: Arc<Output>,
    arrived: AtomicU64,
    memory: Mutex<Memory>,
    pub(super) counts: Arc<Counts>,
}

impl State {
    pub(super) fn new(
        args: &ListenArgs,
        secrets: &Arc<Secrets>,
        output: Arc<Output>,
    ) -> Result<Self, Failure> {
        let counts = Arc::new(Counts::new(args.count));
        let shared = Shared {
            secrets: Arc::clone(secrets),
            output: Arc::clone(&output),
            counts: Arc::clone(&counts),
        };
        Ok(Self {
            verifier: args.verifier.verifier(secrets),
            limit: args.verifier.body_limit,
            events: args.events.clone(),
            forwarding: Forwarding::new(&args.forward, &shared)?,
            folder: args.save.as_deref().map(Folder::open).transpose()?,
            fail: args.fail,
            delay: args.delay,
            max: args.count,
            output,
            arrived: AtomicU64::new(0),
            memory: Mutex::new(Memory::new(REMEMBERED)),
            counts,
        })
    }

    /// Handles a request. The answer is returned last, after everything else is done.
    pub(super) async fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        if self.is_ignored(&head) {
            self.counts.ignored();
            let received = receive(0, &self.verifier, self.limit, head, body).await;
            return Reply::to(&received.verdict).into_response();
        }
        let n = self.arrived.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if self.max.is_some_and(|max| n > max) {
            let detail = "No more deliveries are accepted";
            return Reply::problem(StatusCode::SERVICE_UNAVAILABLE, "enough_deliveries", detail)
                .into_response();
        }
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
        self.counts.reported(&received);
        if forwarded.is_some_and(|forwarded| forwarded.status.is_none() && !forwarded.held) {
            self.counts.failed();
        }
        if let Err(failure) = reported {
            self.counts.stop(failure);
        }
        if !self.delay.is_zero() {
            sleep(self.delay).await;
        }
        self.counts.answered();
        reply.into_response()
    }

    /// Returns whether `--events` doesn't name this event. A request without an event type is not ignored, since it
    /// may be a delivery that something has damaged.
    fn is_ignored(&self, head: &Parts) -> bool {
        !self.events.is_empty()
            && DeliveryHeaders::parse_event_type(&head.headers).is_ok()
            && !self.events.iter().any(|event| event.matches(head))
    }

    fn save(&self, received: &Received) -> Option<PathBuf> {
        let (folder, body) = (self.folder.as_ref()?, received.body.as_ref()?);
        let saved = SavedDelivery::new(received.at, &received.head, body);
        match folder.save(received.n, &saved) {
            Ok(path) => Some(path),
            Err(error) => {
                self.output.error(&format!("cannot save #{}: {error}", received.n));
                self.counts.failed();
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
        let application = self.forwarding.application(received);
        if let (Some(application), Some(body)) = (application, &received.body) {
            let (reply, forwarded) = application.send(received, body.clone()).await;
            return (reply, Some(forwarded));
        }
        (Reply::to(&received.verdict), None)
    }

    /// Prints the counts, and returns the exit code.
    pub(super) fn conclude(&self) -> Exit {
        self.counts.conclude(&self.output, self.forwarding.held())
    }
}
