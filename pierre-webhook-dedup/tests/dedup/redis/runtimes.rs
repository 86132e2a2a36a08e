//! `RedisStore` needs a runtime, and outlives the one that made it.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use pierre_webhook_dedup::{RedisStore, Store, StoreError};
use pierre_webhook_tests::redis_server::RedisServer;
use tokio::runtime::{Builder, Runtime};

use super::BOUND;
use crate::unique::{LONG, is_yours, key, owner, until_claimed};

#[test]
fn a_redis_store_outlives_the_runtime_that_made_it() {
    let Some(server) = RedisServer::start() else { return };
    let store = runtime().block_on(RedisStore::connect(&server.url())).unwrap();
    for _ in 0..3 {
        let (key, owner) = (key(), owner());
        let start = Instant::now();
        runtime().block_on(async {
            assert!(is_yours(&store.claim(key, owner, LONG).await.unwrap()));
            assert!(store.complete(key, owner, LONG).await.unwrap());
        });
        println!("the runtime before has ended: {:?}", start.elapsed());
        assert!(start.elapsed() < Duration::from_millis(390), "{:?}", start.elapsed());
    }
}

#[test]
fn a_runtime_that_nobody_drives_does_not_block_others() {
    let Some(server) = RedisServer::start() else { return };
    let store = RedisStore::connect_lazy(&server.url()).unwrap();
    let (idle, other) = (runtime(), runtime());
    // The connection is being made, or was made, on a runtime that nobody drives from then on.
    for polls in [1, 3, 1000] {
        idle.block_on(async {
            let (key, owner) = (key(), owner());
            let mut claim = pin!(store.claim(key, owner, LONG));
            for _ in 0..polls {
                if claim.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        });
        let start = Instant::now();
        other.block_on(async { until_it_claims(&store).await });
        println!("another runtime stands still: {:?}", start.elapsed());
        assert!(start.elapsed() < 2 * BOUND, "{:?}", start.elapsed());
    }
}

#[test]
fn outside_of_a_runtime_every_redis_operation_is_an_error() {
    let store = RedisStore::connect_lazy("redis://127.0.0.1:1").unwrap();
    let (key, owner) = (key(), owner());
    let errors = [
        at_once(store.claim(key, owner, LONG)).unwrap_err(),
        at_once(store.renew(key, owner, LONG)).unwrap_err(),
        at_once(store.complete(key, owner, LONG)).unwrap_err(),
        at_once(store.release(key, owner)).unwrap_err(),
        at_once(store.forget(key)).unwrap_err(),
        at_once(RedisStore::connect("redis://127.0.0.1:1")).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.to_string(), "Redis needs a tokio runtime");
    }
    store.abandon(key, owner);
    drop(store);
}

#[test]
fn a_claim_abandoned_as_the_runtime_ends_expires_and_nothing_panics() {
    let Some(server) = RedisServer::start() else { return };
    let store = RedisStore::connect_lazy(&server.url()).unwrap();
    let (key, lease) = (key(), Duration::from_millis(100));
    let first = runtime();
    assert!(is_yours(&first.block_on(store.claim(key, owner(), lease)).unwrap()));
    let handle = first.handle().clone();
    drop(first);
    {
        let _ended = handle.enter();
        store.abandon(key, owner());
    }
    runtime().block_on(until_claimed(&store, key, owner()));
}

async fn until_it_claims(store: &RedisStore) {
    super::until_it_claims(store).await;
}

fn at_once<T>(operation: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    match pin!(operation).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("it waits"),
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}
