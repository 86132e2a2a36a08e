//! `Worker`: processes the deliveries of an inbox.

mod clock;
mod run;
mod running;
mod settings;
#[cfg(feature = "metrics")]
mod watch;

use std::{fmt, sync::Arc, time::Duration};

use self::settings::Settings;
use crate::{backoff::Backoff, error::InboxError, inbox::Inbox, job::Job, store::Order};

const SHORTEST_LEASE: Duration = Duration::from_millis(10);
const LONGEST_LEASE: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Runs a function for each delivery of an [`Inbox`], until it succeeds or its last attempt fails.
///
/// A delivery may run more than once, for example if its process is killed. Make the function idempotent, or complete
/// the delivery in the transaction of its effects with [`Job::complete_in`].
///
/// ```
/// use std::time::Duration;
/// use pierre_webhook_inbox::{Inbox, InboxError, Job, Worker};
///
/// async fn work(inbox: Inbox, shutdown: impl Future<Output = ()>) -> Result<(), InboxError> {
///     Worker::new(inbox, async |job: Job| -> Result<(), std::io::Error> {
///         println!("{} of attempt {}", job.event_type(), job.attempt());
///         Ok(())
///     })
///     .concurrency(8)
///     .ordered_by_repository()
///     .max_attempts(20)
///     .backoff(Duration::from_secs(1), Duration::from_secs(3600))
///     .run(shutdown)
///     .await
/// }
/// ```
///
/// If the function needs something of its surroundings, clone it into each future:
/// `move |job| { let pool = pool.clone(); async move { .. } }`.
///
/// | if the function | the delivery |
/// | --- | --- |
/// | returns `Ok` | is done |
/// | returns an error, panics, or takes longer than the [timeout](Self::timeout) | is tried again after the [backoff](Self::backoff) |
/// | fails in its last [attempt](Self::max_attempts) | is dead: kept, and shown by [`Inbox::dead`] |
/// | has completed it with [`Job::complete_in`] | is done, whatever the function returns |
///
/// If the process is killed, the delivery is tried again once its [lease](Self::lease) expires. Several workers, in
/// any number of processes, share an inbox without a setting.
#[must_use = "a worker does nothing until it is `run`"]
pub struct Worker<F> {
    inbox: Inbox,
    handler: Arc<F>,
    settings: Settings,
}

impl<F, W, E> Worker<F>
where
    F: Fn(Job) -> W + Send + Sync + 'static,
    W: Future<Output = Result<(), E>> + Send + 'static,
    E: fmt::Display,
{
    /// Creates a worker that calls `handler` for each delivery. The error's `Display` is stored with the delivery.
    pub fn new(inbox: Inbox, handler: F) -> Self {
        let settings = Settings::default();
        Self { inbox, handler: Arc::new(handler), settings }
    }

    /// Sets how many deliveries run at the same time. 8 by default, and at least 1.
    pub fn concurrency(mut self, jobs: usize) -> Self {
        self.settings.concurrency = jobs.max(1);
        self
    }

    /// Runs the deliveries of a repository one after the other, in the order in which they were stored. Those of
    /// different repositories still run at the same time, and unknown events, which name no repository, too.
    ///
    /// A delivery that waits for its next try holds up its repository. A dead one doesn't, unless
    /// [`dead_holds_repository`](Self::dead_holds_repository) is set. All workers of an inbox should have the same order:
    /// one without order takes whatever is due.
    pub fn ordered_by_repository(mut self) -> Self {
        self.settings.order = Order::ByLane { dead_holds: self.settings.order.dead_holds() };
        self
    }

    /// Runs the deliveries of a repository in order, and lets none follow a dead one until that is
    /// [retried](Inbox::retry) or [discarded](Inbox::discard).
    pub fn dead_holds_repository(mut self) -> Self {
        self.settings.order = Order::ByLane { dead_holds: true };
        self
    }

    /// Sets how often a delivery is tried before it is dead. 20 by default, and at least 1. An attempt whose process was
    /// killed counts; one that a shutdown has given back doesn't.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.settings.max_attempts = attempts.max(1);
        self
    }

    /// Sets how long a failed delivery waits: `first` after its first try, then twice as long each time, up to
    /// `longest`. Each delay is shortened at random by up to a half. From 1 second to 1 hour by default.
    pub fn backoff(mut self, first: Duration, longest: Duration) -> Self {
        self.settings.backoff = Backoff { first, longest };
        self
    }

    /// Sets how long a delivery waits if its process is killed. 30 seconds by default, and from 10 milliseconds to a
    /// year.
    ///
    /// While a delivery runs, its lease is renewed at every third of it, so a run may take longer than its lease. If the
    /// renewals fail for a whole lease, another worker may take the delivery over while this one still runs it.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.settings.lease = lease.clamp(SHORTEST_LEASE, LONGEST_LEASE);
        self
    }

    /// Sets how long a run may take. Then it is dropped, and counts as failed. 15 minutes by default.
    ///
    /// Work that was started elsewhere, such as a `spawn_blocking` or a child process, isn't stopped by that.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// Sets how often the worker looks for deliveries without being woken. Every second by default, and at most every
    /// millisecond.
    ///
    /// [`Inbox::insert`] in the same process wakes it, and so does `Inbox::listen` with PostgreSQL.
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.settings.poll_interval = interval.max(Duration::from_millis(1));
        self
    }

    /// Sets how long runs may take to end once the worker is told to. 20 seconds by default.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.settings.shutdown_timeout = timeout;
        self
    }

    /// Processes deliveries until `shutdown` resolves.
    ///
    /// Then it takes no more deliveries, waits for those that run, for the
    /// [`shutdown_timeout`](Self::shutdown_timeout) at most, and gives the rest back, so that another worker can take
    /// them at once.
    ///
    /// Dropping this future stops the handlers that it runs at their next `await`. Their deliveries are neither lost nor
    /// given back: they run again once their leases expire.
    ///
    /// A database that fails meanwhile doesn't end it: it tries again until the database is back.
    ///
    /// # Errors
    ///
    /// If the database failed at the end, so that deliveries could not be given back. They run once their leases expire.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), InboxError> {
        let Self { inbox, handler, settings } = self;
        run::run(inbox, settings, shutdown, move |job| {
            let work = handler(job);
            async { work.await.map_err(|error| error.to_string()) }
        })
        .await
    }
}

impl<F> fmt::Debug for Worker<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("inbox", &self.inbox)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
