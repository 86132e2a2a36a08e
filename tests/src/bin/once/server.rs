//! The server's side: an axum server that handles each delivery once, over the Redis that it is given.

use std::{
    fs::File,
    io::{Read, stdin},
    path::PathBuf,
    process::{self, ExitCode},
    sync::Arc,
    time::Duration,
};

use axum::{Router, routing::post};
use http::StatusCode;
use pierre_webhook_core::{DeliveryId, Verifier};
use pierre_webhook_dedup::{
    Claimed, Dedup, DedupLayer, Key, Owner, RedisStore, Store, StoreError, StoreFuture,
};
use pierre_webhook_tests::{sample::secret, server::Server};
use pierre_webhook_tower::{VerifyWebhookLayer, Webhook};
use tokio::time::sleep;

use crate::journal::{Event, Journal};

/// The handler's response. An empty success means that the delivery was handled before.
pub(crate) const HANDLED: &str = "handled";
/// Short, so that the deliveries of a killed process are soon handled again.
const LEASE: Duration = Duration::from_secs(2);
/// One in this many deliveries fails the first time that it is handled.
const FAILS: u16 = 50;
/// The longest time that the handler takes, in milliseconds.
const LONGEST_WORK: u64 = 20;

/// Prints its address, and ends when its standard input ends, even if its parent process was killed.
pub(crate) fn serve(redis: &str, journal: &str, failed: &str) -> ExitCode {
    let journal = Arc::new(Journal::create(journal));
    let store = RedisStore::connect_lazy(redis).expect("the URL of a Redis");
    let dedup = Dedup::new(Journaled { store, journal: Arc::clone(&journal) }).lease(LEASE);
    let verify = VerifyWebhookLayer::new(Verifier::new(secret()));
    let handler = Handler { journal, failed: failed.into() };
    let handler = async move |webhook: Webhook| handler.handle(webhook.id()).await;
    let route = post(handler).layer((verify, DedupLayer::new(dedup)));
    let server = Server::axum(Router::new().route("/webhooks", route));
    println!("{}", server.address);
    stdin().read_to_end(&mut Vec::new()).expect("a parent");
    process::exit(0)
}

#[derive(Clone)]
struct Handler {
    journal: Arc<Journal>,
    /// The directory with a file for each delivery that has failed on any server.
    failed: PathBuf,
}

impl Handler {
    async fn handle(&self, id: DeliveryId) -> (StatusCode, &'static str) {
        let run = self.journal.run(id);
        let [work, _, high, low, ..] = *id.as_bytes();
        sleep(Duration::from_millis(u64::from(work) % (LONGEST_WORK + 1))).await;
        let is_to_fail = u16::from_be_bytes([high, low]) % FAILS == 0;
        if is_to_fail && File::create_new(self.failed.join(id.to_string())).is_ok() {
            run.end(Event::Failed);
            return (StatusCode::INTERNAL_SERVER_ERROR, "");
        }
        run.end(Event::Done);
        (StatusCode::OK, HANDLED)
    }
}

/// A store that writes to the journal when a completion was recorded.
struct Journaled {
    store: RedisStore,
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
