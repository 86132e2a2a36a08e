//! Redis operations that are dropped at any moment: no key gets stuck, and no connection leaks.

use std::{future::Future, pin::pin, time::Duration};

use pierre_webhook_dedup::{Begun, Dedup, Key, RedisStore, Store};
use pierre_webhook_tests::{
    proxy::{Fate, Proxy},
    redis_server::{RedisServer, Reply},
};
use tokio::{
    task::{JoinSet, yield_now},
    time::{Instant, sleep},
};

use super::{BOUND, until_it_claims};
use crate::unique::{LONG, id, is_yours, key, owner};

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_is_dropped_at_any_moment_is_released_in_redis() {
    let Some(server) = RedisServer::start() else { return };
    let dedup = Dedup::new(RedisStore::connect_lazy(&server.url()).unwrap()).lease(LONG);
    let mut callers = JoinSet::new();
    let mut claimed = 0;
    for number in 0..4000_usize {
        let dedup = dedup.clone();
        callers.spawn(async move { dropped_after(number % 40, dedup.begin(id())).await });
        while callers.len() > 64 {
            claimed += usize::from(callers.join_next().await.unwrap().unwrap());
        }
    }
    claimed += callers.join_all().await.into_iter().filter(|done| *done).count();
    println!("{claimed} of 4000 had their claim when they were dropped");
    assert!(claimed > 0 && claimed < 4000, "some before, some after: {claimed}");
    until_empty(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_is_dropped_while_connections_break_is_released_in_redis() {
    let Some(server) = RedisServer::start() else { return };
    let proxy = Proxy::to(server.address());
    // A command on the old connection may reach Redis after the release on the new one. It then holds the key for
    // one lease.
    let lease = Duration::from_millis(500);
    let dedup = Dedup::new(RedisStore::connect_lazy(&proxy.url()).unwrap()).lease(lease);
    let mut callers = JoinSet::new();
    for number in 0..2000_usize {
        let dedup = dedup.clone();
        callers.spawn(async move { dropped_after(number % 40, dedup.begin(id())).await });
        if number % 50 == 0 {
            proxy.set(Fate::CutAtTheAnswer);
        }
        while callers.len() > 64 {
            callers.join_next().await.unwrap().unwrap();
        }
    }
    callers.join_all().await;
    until_empty(&server).await;
    proxy.until_open(1).await;
    println!("{} connections", proxy.accepted());
}

#[tokio::test]
async fn dropping_a_caller_that_connects_does_not_delay_the_next() {
    let Some(server) = RedisServer::start() else { return };
    for polls in 0..50 {
        let store = RedisStore::connect_lazy(&server.url()).unwrap();
        dropped_after(polls, store.claim(key(), owner(), LONG)).await;
        let took = until_it_claims(&store).await;
        assert!(took < Duration::from_millis(390), "{polls}: {took:?}");
    }
}

#[tokio::test]
async fn dropping_callers_of_a_silent_server_does_not_block_later_ones() {
    let Some(server) = RedisServer::start() else { return };
    let proxy = Proxy::to(server.address());
    proxy.set_new(Fate::Silent);
    let store = RedisStore::connect_lazy(&proxy.url()).unwrap();
    let dedup = Dedup::new(store.clone());
    let mut callers = JoinSet::new();
    for number in 0..1000 {
        let dedup = dedup.clone();
        callers.spawn(async move { dropped_after(number % 10, dedup.begin(id())).await });
    }
    callers.join_all().await;
    assert!(proxy.accepted() <= 2, "{}", proxy.accepted());
    proxy.set_new(Fate::Passes);
    let took = until_it_claims(&store).await;
    println!("after 1000 that were dropped: {took:?}");
    assert!(took < 2 * BOUND, "{took:?}");
}

#[tokio::test]
async fn a_release_reaches_redis_after_the_dropped_claim() {
    let Some(server) = RedisServer::start() else { return };
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let mut before = 0;
    for polls in 0..500 {
        let (id, owner) = (id(), owner());
        let key = Key::new("", id);
        before += usize::from(!dropped_after(polls % 20, store.claim(key, owner, LONG)).await);
        store.release(key, owner).await.unwrap();
        assert_eq!(server.ask(&["EXISTS", &format!("pierre-webhook:{key}")]), Reply::Number(0));
    }
    assert!(before > 0, "none was dropped before its answer");
}

#[tokio::test]
async fn thousands_of_claims_dropped_at_once_are_all_released() {
    let Some(server) = RedisServer::start() else { return };
    let dedup = Dedup::new(RedisStore::connect(&server.url()).await.unwrap()).lease(LONG);
    let mut claims = Vec::new();
    for _ in 0..3000 {
        match dedup.begin(id()).await.unwrap() {
            Begun::Claimed(claim) => claims.push(claim),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(server.ask(&["DBSIZE"]), Reply::Number(3000));
    drop(claims);
    until_empty(&server).await;
}

#[tokio::test]
async fn dropping_a_claim_does_not_release_the_key_of_another_owner() {
    let Some(server) = RedisServer::start() else { return };
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let (key, holder) = (key(), owner());
    assert!(is_yours(&store.claim(key, holder, LONG).await.unwrap()));
    let dedup = Dedup::new(store.clone());
    for polls in 0..200 {
        dropped_after(polls % 20, dedup.begin(key.id)).await;
    }
    // All releases were sent before this.
    assert!(store.renew(key, holder, LONG).await.unwrap());
    let name = format!("pierre-webhook:{key}");
    assert_eq!(server.ask(&["GET", &name]), Reply::Text(holder.to_string()));
}

/// Drops the operation after this many polls, and returns whether it was done.
async fn dropped_after<T>(turns: usize, operation: impl Future<Output = T>) -> bool {
    let mut operation = pin!(operation);
    let mut turns = 0..turns;
    std::future::poll_fn(|context| {
        use std::task::Poll;
        match (operation.as_mut().poll(context), turns.next()) {
            (Poll::Ready(_), _) => Poll::Ready(true),
            (Poll::Pending, None) => Poll::Ready(false),
            (Poll::Pending, Some(_)) => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
        }
    })
    .await
}

async fn until_empty(server: &RedisServer) {
    let start = Instant::now();
    while server.ask(&["DBSIZE"]) != Reply::Number(0) {
        assert!(start.elapsed() < Duration::from_secs(5), "keys are stuck");
        yield_now().await;
        sleep(Duration::from_millis(5)).await;
    }
    println!("all released after {:?}", start.elapsed());
}
