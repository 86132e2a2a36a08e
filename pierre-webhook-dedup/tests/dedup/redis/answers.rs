//! Answers that are lost, have an unexpected type, or say that a script is unknown.

use std::time::Duration;

use pierre_webhook_dedup::{Claimed, RedisStore, Store};
use pierre_webhook_tests::{
    proxy::{Fate, Proxy},
    redis_server::{RedisServer, Reply},
};
use tokio::{task::JoinSet, time::Instant};

use super::BOUND;
use crate::unique::{LONG, is_yours, key, owner};

#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_retried_and_still_yours() {
    let Some(server) = RedisServer::start() else { return };
    let proxy = Proxy::to(server.address());
    let store = RedisStore::connect(&proxy.url()).await.unwrap();
    for fate in [Fate::Unanswered, Fate::CutAtTheAnswer] {
        let (key, owner) = (key(), owner());
        proxy.set(fate);
        let start = Instant::now();
        assert!(is_yours(&store.claim(key, owner, LONG).await.unwrap()));
        assert!(start.elapsed() < BOUND, "{:?}", start.elapsed());
        let name = format!("pierre-webhook:{key}");
        assert_eq!(server.ask(&["GET", &name]), Reply::Text(owner.to_string()));
    }
}

#[tokio::test]
async fn an_operation_whose_answer_was_lost_is_retried_with_the_same_answer() {
    let Some(server) = RedisServer::start() else { return };
    let proxy = Proxy::to(server.address());
    let store = RedisStore::connect(&proxy.url()).await.unwrap();
    for fate in [Fate::Unanswered, Fate::CutAtTheAnswer] {
        let (key, owner) = (key(), owner());
        proxy.set(fate);
        assert!(store.renew(key, owner, LONG).await.unwrap());
        proxy.set(fate);
        assert!(store.complete(key, owner, LONG).await.unwrap());
        assert_eq!(store.claim(key, owner, LONG).await.unwrap(), Claimed::Completed);

        let (key, owner) = (self::key(), self::owner());
        assert!(is_yours(&store.claim(key, owner, LONG).await.unwrap()));
        proxy.set(fate);
        store.release(key, owner).await.unwrap();
        assert!(is_yours(&store.claim(key, self::owner(), LONG).await.unwrap()));
    }
}

#[tokio::test]
async fn a_script_that_redis_has_forgotten_is_sent_again() {
    let Some(server) = RedisServer::start() else { return };
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let flush = || assert_eq!(server.ask(&["SCRIPT", "FLUSH"]), Reply::Text("OK".into()));
    let (key, owner) = (key(), owner());
    flush();
    assert!(store.renew(key, owner, LONG).await.unwrap());
    flush();
    store.release(key, owner).await.unwrap();
    flush();
    assert!(store.complete(key, owner, LONG).await.unwrap());
    flush();
    assert!(!store.complete(key, self::owner(), LONG).await.unwrap());
}

#[tokio::test]
async fn scripts_that_redis_keeps_forgetting_cause_no_error() {
    let Some(server) = RedisServer::start() else { return };
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let mut workers = JoinSet::new();
    for _ in 0..8 {
        let store = store.clone();
        workers.spawn(async move {
            for _ in 0..50 {
                let (key, owner) = (key(), owner());
                assert!(store.renew(key, owner, LONG).await.unwrap());
                assert!(store.complete(key, owner, LONG).await.unwrap());
            }
        });
    }
    let mut flushes = 0;
    while !workers.is_empty() {
        server.ask(&["SCRIPT", "FLUSH"]);
        flushes += 1;
        // The flush blocks this runtime's only thread: let the workers run.
        tokio::task::yield_now().await;
        while let Some(ended) = workers.try_join_next() {
            ended.unwrap();
        }
    }
    assert!(flushes > 10, "{flushes}");
}

#[tokio::test]
async fn a_key_whose_expiry_was_removed_by_hand_gets_a_new_one() {
    let Some(server) = RedisServer::start() else { return };
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let (key, second) = (key(), Duration::from_secs(1));
    let name = format!("pierre-webhook:{key}");
    assert!(is_yours(&store.claim(key, owner(), LONG).await.unwrap()));
    assert_eq!(server.ask(&["PERSIST", &name]), Reply::Number(1));
    let claimed = store.claim(key, owner(), second).await.unwrap();
    assert_eq!(claimed, Claimed::InProgress { retry_after: second });
    let rest = server.ask(&["PTTL", &name]).number();
    assert!(rest > 0 && rest <= 1000, "{rest}");
}

#[tokio::test]
async fn a_redis_key_of_another_type_is_an_error() {
    let Some(server) = RedisServer::start() else { return };
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let (key, owner) = (key(), owner());
    server.ask(&["RPUSH", &format!("pierre-webhook:{key}"), "item"]);
    for error in [
        store.claim(key, owner, LONG).await.unwrap_err(),
        store.complete(key, owner, LONG).await.unwrap_err(),
        store.release(key, owner).await.unwrap_err(),
    ] {
        assert!(error.to_string().starts_with("Redis answered WRONGTYPE "), "{error}");
    }
    assert!(store.forget(key).await.unwrap());
    assert!(is_yours(&store.claim(key, owner, LONG).await.unwrap()));
}
