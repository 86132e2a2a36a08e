//! The server's side: an axum server that handles each delivery once, over the store that it is given.

use std::{
    fs::File,
    io::stdin,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{self, ExitCode},
    sync::Arc,
    time::Duration,
};

use axum::{Router, routing::post, serve::ListenerExt};
use http::StatusCode;
use pierre_webhook_core::{DeliveryId, Verifier};
use pierre_webhook_dedup::{
    Claimed, Dedup, DedupLayer, Key, Owner, Store, StoreError, StoreFuture,
};
use pierre_webhook_tests::sample::secret;
use pierre_webhook_tower::{VerifyWebhookLayer, Webhook};
use tokio::{runtime::Runtime, sync::oneshot, time::sleep};

use crate::{
    backend::Kind,
    journal::{Event, Journal, now},
};

/// The handler's response. An empty success means that the delivery was handled before.
pub(crate) const HANDLED: &str = "handled";
/// Short, so that the deliveries of a killed process are soon handled again.
pub(crate) const LEASE: Duration = Duration::from_secs(2);
/// One in this many deliveries fails the first time that it is handled.
const FAILS: u16 = 50;
/// The longest time that the handler takes, in milliseconds.
const LONGEST_WORK: u64 = 20;
/// One in this many deliveries is slow the first time that it is handled, if there is such work.
const SLOW: u16 = 20;
/// Longer than a lease, and longer than a shutdown waits.
const SLOW_WORK: Duration = Duration::from_secs(3);
/// How long a shutdown waits for work that is in progress.
const PATIENCE: Duration = Duration::from_millis(300);

/// What the handlers do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    Quick,
    /// Some of it takes longer than a shutdown waits.
    SometimesSlow,
}

impl Work {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::SometimesSlow => "sometimes-slow",
        }
    }

    fn named(name: &str) -> Self {
        if name == Self::Quick.name() { Self::Quick } else { Self::SometimesSlow }
    }
}

/// Prints its address, and ends when its standard input ends, even if its parent process was killed. If that says
/// `stop`, it shuts down, and prints when it stopped waiting for its work.
pub(crate) fn serve(kind: Kind, address: &str, work: &str, journal: &str, marks: &str) -> ExitCode {
    let journal = Arc::new(Journal::create(journal));
    let runtime = Runtime::new().expect("a runtime");
    let store = runtime.block_on(kind.open(address));
    let store = Journaled { store, journal: Arc::clone(&journal) };
    let dedup = Dedup::new(store).lease(LEASE);
    let verify = VerifyWebhookLayer::new(Verifier::new(secret()));
    let handler = Handler { journal, work: Work::named(work), marks: marks.into() };
    let handler = async move |webhook: Webhook| handler.handle(webhook.id()).await;
    let route = post(handler).layer((verify, DedupLayer::new(dedup.clone())));
    let router = Router::new().route("/webhooks", route);

    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    println!("{}", listener.local_addr().expect("an address"));
    listener.set_nonblocking(true).expect("a socket");
    let (stop, stopped) = oneshot::channel::<()>();
    runtime.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap_or(()));
        let server = axum::serve(listener, router);
        server.with_graceful_shutdown(async { stopped.await.unwrap_or(()) }).await
    });

    let mut order = String::new();
    stdin().read_line(&mut order).expect("a parent");
    if order == "stop\n" {
        stop.send(()).expect("a server");
        let latest = now() + PATIENCE.as_nanos() as u64;
        // What is left is cut off, and handled by another process.
        let _ = runtime.block_on(dedup.shutdown(PATIENCE));
        println!("{}", now().min(latest));
    }
    process::exit(0)
}

#[derive(Clone)]
struct Handler {
    journal: Arc<Journal>,
    work: Work,
    /// The directory with a file for each delivery that has failed, or was slow, on any server.
    marks: PathBuf,
}

impl Handler {
    async fn handle(&self, id: DeliveryId) -> (StatusCode, &'static str) {
        let run = self.journal.run(id);
        let [work, _, high, low, slow_high, slow_low, ..] = *id.as_bytes();
        let is_one_in = |many, bytes| u16::from_be_bytes(bytes) % many == 0;
        let is_slow = self.work == Work::SometimesSlow && is_one_in(SLOW, [slow_high, slow_low]);
        if is_slow && is_first(&self.marks.join(format!("slow-{id}"))) {
            sleep(SLOW_WORK).await;
        }
        sleep(Duration::from_millis(u64::from(work) % (LONGEST_WORK + 1))).await;
        if is_one_in(FAILS, [high, low]) && is_first(&self.marks.join(format!("failed-{id}"))) {
            run.end(Event::Failed);
            return (StatusCode::INTERNAL_SERVER_ERROR, "");
        }
        run.end(Event::Done);
        (StatusCode::OK, HANDLED)
    }
}

fn is_first(mark: &Path) -> bool {
    File::create_new(mark).is_ok()
}

/// A store that writes to the journal when a completion was recorded.
struct Journaled {
    store: Box<dyn Store>,
    journal: Arc<Journal>,
}

impl Store for Journaled {
    fn claim<'a>(
        &'a self,
        key: Key<'a>,
        owner: Owner,
        lease: Duration,
    ) -> StoreFuture<'a, Claimed> {
        self.store.claim(key, owner, lease)
    }

    fn renew<'a>(&'a self, key: Key<'a>, owner: Owner, lease: Duration) -> StoreFuture<'a, bool> {
        self.store.renew(key, owner, lease)
    }

    fn complete<'a>(
        &'a self,
        key: Key<'a>,
        owner: Owner,
        retention: Duration,
    ) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let is_recorded = self.store.complete(key, owner, retention).await?;
            if is_recorded {
                self.journal.write(Event::Recorded, key.id);
            }
            Ok::<_, StoreError>(is_recorded)
        })
    }

    fn release<'a>(&'a self, key: Key<'a>, owner: Owner) -> StoreFuture<'a, ()> {
        self.store.release(key, owner)
    }

    fn forget<'a>(&'a self, key: Key<'a>) -> StoreFuture<'a, bool> {
        self.store.forget(key)
    }

    fn abandon(&self, key: Key<'_>, owner: Owner) {
        self.store.abandon(key, owner);
    }
}
