//! Expiries and values of the keys in Redis.

use std::time::Duration;

use pierre_webhook_dedup::{Claimed, Key, RedisStore, Store};
use pierre_webhook_tests::redis_server::{RedisServer, Reply};

use crate::unique::{LONG, id, is_yours, key, owner, until_claimed};

const TEN_YEARS: i64 = 10 * 365 * 24 * 60 * 60 * 1000;

#[tokio::test]
async fn every_key_in_redis_expires() {
    let Some(server) = RedisServer::start() else { return };
    let store = RedisStore::connect(&server.url()).await.unwrap();
    for (time, most) in [
        (Duration::ZERO, 10),
        (Duration::from_nanos(1), 10),
        (Duration::from_micros(999), 10),
        (Duration::from_micros(20_001), 21),
        (Duration::from_secs(60), 60_000),
        (Duration::MAX, TEN_YEARS),
    ] {
        for operation in ["claim", "renew", "complete"] {
            let (key, owner) = (key(), owner());
            match operation {
                "claim" => {
                    assert!(is_yours(&store.claim(key, owner, time).await.unwrap()));
                }
                "renew" => assert!(store.renew(key, owner, time).await.unwrap()),
                _ => assert!(store.complete(key, owner, time).await.unwrap()),
            }
            let rest = server.ask(&["PTTL", &format!("pierre-webhook:{key}")]).number();
            // -2: it has expired already. -1 would be no expiry.
            assert!(rest == -2 || (0..=most).contains(&rest), "{operation} {time:?}: {rest}");
            assert!(most < 1000 || rest > most / 2, "{operation} {time:?}: {rest}");
        }
    }
}

#[tokio::test]
async fn a_repeated_completion_keeps_the_retention_in_redis() {
    let Some(server) = RedisServer::start() else { return };
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let (key, owner) = (key(), owner());
    assert!(store.complete(key, owner, Duration::from_secs(60)).await.unwrap());
    assert!(store.complete(key, owner, LONG).await.unwrap());
    assert!(!store.renew(key, owner, LONG).await.unwrap());
    assert_eq!(store.claim(key, owner, LONG).await.unwrap(), Claimed::Completed);
    let rest = server.ask(&["PTTL", &format!("pierre-webhook:{key}")]).number();
    assert!((50_000..=60_000).contains(&rest), "{rest}");
}

#[tokio::test]
async fn retry_after_is_the_remaining_lease_by_the_clock_of_redis() {
    let Some(server) = RedisServer::start() else { return };
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let key = key();
    assert!(is_yours(&store.claim(key, owner(), Duration::from_millis(200)).await.unwrap()));
    let Claimed::InProgress { retry_after } = store.claim(key, owner(), LONG).await.unwrap() else {
        panic!("not in progress");
    };
    assert!(retry_after <= Duration::from_millis(200), "{retry_after:?}");
    until_claimed(&store, key, owner()).await;
}

#[tokio::test]
async fn a_redis_key_holds_its_scope_and_its_value_the_owner() {
    let Some(server) = RedisServer::start() else { return };
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let (id, owner) = (id(), owner());
    for scope in ["", "mailer", "{a}:*", "two words"] {
        let key = Key::new(scope, id);
        let name = format!("pierre-webhook:{scope}:{id}");
        assert!(is_yours(&store.claim(key, owner, LONG).await.unwrap()));
        assert_eq!(server.ask(&["GET", &name]), Reply::Text(owner.to_string()));
        assert!(store.complete(key, owner, LONG).await.unwrap());
        assert_eq!(server.ask(&["GET", &name]), Reply::Text(format!("done:{owner}")));
    }
    assert_eq!(server.ask(&["DBSIZE"]), Reply::Number(4));
}
