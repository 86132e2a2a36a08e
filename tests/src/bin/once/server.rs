//! The server's side: an axum server whose deliveries are handled once over the Redis that it is told.

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

/// What the handler answers: an empty success is another's.
pub(crate) const HANDLED: &str = "handled";
/// Short, so that what a killed process held comes back soon.
const LEASE: Duration = Duration::from_secs(2);
/// One delivery in so many fails when it is handled first.
const FAILS: u16 = 50;
/// In milliseconds.
const LONGEST_WORK: u64 = 20;

/// Prints its address, and ends when its standard input does: also when what started it was killed.
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
    /// Where there is a file for each delivery that has failed in any of the servers.
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

/// Says when a completion was recorded.
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
