//! What Redis has of a lease and a retention: always an end.

use std::time::Duration;

use pierre_webhook_dedup::{Claimed, Key, RedisStore, Store};
use pierre_webhook_tests::redis_server::{RedisServer, Reply};

use crate::contract::{LONG, id, key, owner, until_claimed};

const TEN_YEARS: i64 = 10 * 365 * 24 * 60 * 60 * 1000;

#[tokio::test]
async fn no_lease_and_no_retention_is_endless() {
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
                    assert_eq!(store.claim(key, owner, time).await.unwrap(), Claimed::Yours);
                }
                "renew" => assert!(store.renew(key, owner, time).await.unwrap()),
                _ => assert!(store.complete(key, owner, time).await.unwrap()),
            }
            let rest = server.ask(&["PTTL", &format!("pierre-webhook:{key}")]).number();
            // -2: it is over already. -1 would be endless.
            assert!(rest == -2 || (0..=most).contains(&rest), "{operation} {time:?}: {rest}");
            assert!(most < 1000 || rest > most / 2, "{operation} {time:?}: {rest}");
        }
    }
}

#[tokio::test]
async fn a_second_completion_leaves_the_retention_as_it_is() {
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
async fn the_rest_of_a_lease_is_what_the_server_says() {
    let Some(server) = RedisServer::start() else { return };
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let key = key();
    assert_eq!(
        store.claim(key, owner(), Duration::from_millis(200)).await.unwrap(),
        Claimed::Yours
    );
    let Claimed::InProgress { retry_after } = store.claim(key, owner(), LONG).await.unwrap() else {
        panic!("not in progress");
    };
    assert!(retry_after <= Duration::from_millis(200), "{retry_after:?}");
    until_claimed(&store, key, owner()).await;
}

#[tokio::test]
async fn a_key_is_the_scopes_and_says_who_has_it() {
    let Some(server) = RedisServer::start() else { return };
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let (id, owner) = (id(), owner());
    for scope in ["", "mailer", "{a}:*", "two words"] {
        let key = Key::new(scope, id);
        let name = format!("pierre-webhook:{scope}:{id}");
        assert_eq!(store.claim(key, owner, LONG).await.unwrap(), Claimed::Yours);
        assert_eq!(server.ask(&["GET", &name]), Reply::Text(owner.to_string()));
        assert!(store.complete(key, owner, LONG).await.unwrap());
        assert_eq!(server.ask(&["GET", &name]), Reply::Text(format!("done:{owner}")));
    }
    assert_eq!(server.ask(&["DBSIZE"]), Reply::Number(4));
}
