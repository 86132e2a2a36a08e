//! A server that is stopped, frozen, demoted or loading, and a connection that goes silent: callers get an answer
//! or an error in time, and the store recovers.

use std::time::Duration;

use pierre_webhook_dedup::{Claimed, RedisStore, Store, StoreError};
use pierre_webhook_tests::{
    proxy::{Fate, Proxy},
    redis_server::{RedisServer, Reply},
};
use tokio::{task::JoinSet, time::Instant};

use super::{BOUND, until_it_claims};
use crate::unique::{LONG, id, is_yours, key, owner};

#[tokio::test]
async fn a_stopped_server_is_an_error_at_once_and_is_used_again_when_it_is_back() {
    let Some(mut server) = RedisServer::start() else { return };
    let store = RedisStore::connect(&server.url()).await.unwrap();
    until_it_claims(&store).await;
    server.kill();
    let (error, took) = fails(&store).await;
    println!("stopped: {took:?} to \"{error}\"");
    assert!(error.to_string().starts_with("no connection to Redis: "), "{error}");
    assert!(took < Duration::from_millis(300), "{took:?}");
    server.start_again();
    println!("back: {:?}", until_it_claims(&store).await);
}

#[tokio::test]
async fn a_completion_survives_a_restart_of_redis_if_its_data_does() {
    let Some(mut server) = RedisServer::persistent() else { return };
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let (done, working, owner, another) = (key(), key(), owner(), owner());
    assert!(store.complete(done, owner, LONG).await.unwrap());
    assert!(is_yours(&store.claim(working, owner, LONG).await.unwrap()));

    server.restart();
    // The connection has closed: the operation makes another and succeeds.
    assert_eq!(store.claim(done, another, LONG).await.unwrap(), Claimed::Completed);
    let other = store.claim(working, another, LONG).await.unwrap();
    assert!(matches!(other, Claimed::InProgress { .. }), "{other:?}");

    server.restart_empty();
    assert!(store.complete(working, owner, LONG).await.unwrap(), "the server lost the claim");
    assert_eq!(store.claim(working, another, LONG).await.unwrap(), Claimed::Completed);
    assert!(is_yours(&store.claim(done, another, LONG).await.unwrap()));
}

#[tokio::test]
async fn a_frozen_server_is_an_error_in_time_and_is_used_again_when_it_thaws() {
    let Some(server) = RedisServer::start() else { return };
    let store = RedisStore::connect(&server.url()).await.unwrap();
    until_it_claims(&store).await;
    server.freeze();
    let start = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..64 {
        let store = store.clone();
        callers.spawn(async move { fails(&store).await });
    }
    while let Some(failed) = callers.join_next().await {
        let (error, took) = failed.unwrap();
        assert_eq!(error.to_string(), "Redis did not answer in time");
        assert!(took > Duration::from_millis(900) && took < BOUND, "{took:?}");
    }
    println!("frozen: {:?} to the last of 64 errors", start.elapsed());
    // Waiting for another caller's attempt to connect takes no longer.
    let (error, took) = fails(&store).await;
    println!("still frozen: {took:?} to \"{error}\"");
    assert!(took < BOUND, "{took:?}");
    server.thaw();
    println!("thawed: {:?}", until_it_claims(&store).await);
}

#[tokio::test]
async fn a_server_that_pauses_briefly_is_waited_for() {
    let Some(server) = RedisServer::start() else { return };
    let store = RedisStore::connect(&server.url()).await.unwrap();
    until_it_claims(&store).await;
    server.ask(&["CLIENT", "PAUSE", "200", "ALL"]);
    let took = until_it_claims(&store).await;
    assert!(took < Duration::from_millis(390) + Duration::from_millis(300), "{took:?}");
}

#[tokio::test]
async fn a_silent_connection_is_replaced() {
    let Some(server) = RedisServer::start() else { return };
    let proxy = Proxy::to(server.address());
    let store = RedisStore::connect(&proxy.url()).await.unwrap();
    for round in 1..=3 {
        proxy.set(Fate::Silent);
        let start = Instant::now();
        assert!(is_yours(&store.claim(key(), owner(), LONG).await.unwrap()));
        println!("silent: {:?} to the claim", start.elapsed());
        assert!(start.elapsed() < BOUND, "{:?}", start.elapsed());
        assert_eq!(proxy.accepted(), 1 + round);
    }
    // The replaced connections are closed.
    proxy.until_open(1).await;
}

#[tokio::test]
async fn if_new_connections_are_silent_too_callers_get_an_error_in_time() {
    let Some(server) = RedisServer::start() else { return };
    let proxy = Proxy::to(server.address());
    let store = RedisStore::connect(&proxy.url()).await.unwrap();
    proxy.set(Fate::Silent);
    proxy.set_new(Fate::Silent);
    for _ in 0..3 {
        let (error, took) = fails(&store).await;
        println!("all silent: {took:?} to \"{error}\"");
        assert!(took < BOUND, "{took:?}");
    }
    let start = Instant::now();
    let error = RedisStore::connect(&proxy.url()).await.unwrap_err();
    assert!(start.elapsed() < BOUND, "{:?}", start.elapsed());
    println!("connect to what is silent: {:?} to \"{error}\"", start.elapsed());
    proxy.set_new(Fate::Passes);
    let took = until_it_claims(&store).await;
    println!("heard again: {took:?}");
    proxy.until_open(1).await;
}

#[tokio::test]
async fn a_demoted_node_is_an_error_at_once_and_its_connection_is_dropped() {
    let Some(server) = RedisServer::start() else { return };
    let proxy = Proxy::to(server.address());
    let store = RedisStore::connect(&proxy.url()).await.unwrap();
    let done = key();
    assert!(store.complete(done, owner(), LONG).await.unwrap());
    server.demote();
    let (error, took) = fails(&store).await;
    println!("demoted: {took:?} to \"{error}\"");
    assert!(error.to_string().starts_with("Redis answered READONLY "), "{error}");
    assert!(took < Duration::from_millis(300), "{took:?}");
    assert_eq!(proxy.accepted(), 2, "the name may lead to the new master by now");
    let error = store.complete(key(), owner(), LONG).await.unwrap_err();
    assert!(error.to_string().starts_with("Redis answered READONLY "), "{error}");
    server.promote();
    println!("promoted: {:?}", until_it_claims(&store).await);
}

#[tokio::test]
async fn a_loading_server_is_an_error_at_once_and_is_used_when_it_has_loaded() {
    // It answers commands only after each KiB that it loads, and loads slowly.
    let slow = ["--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024"];
    let Some(mut server) = RedisServer::with(&slow) else { return };
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let done = key();
    assert!(store.complete(done, owner(), LONG).await.unwrap());
    assert_eq!(server.ask(&["DEBUG", "POPULATE", "5000", "key", "100"]), Reply::Text("OK".into()));
    assert_eq!(server.ask(&["SAVE"]), Reply::Text("OK".into()));
    server.kill();
    server.start_again();

    let (error, took) = fails(&store).await;
    println!("loading: {took:?} to \"{error}\"");
    assert!(error.to_string().starts_with("Redis answered LOADING "), "{error}");
    assert!(took < BOUND, "{took:?}");
    let error = RedisStore::connect(&server.url()).await.unwrap_err().to_string();
    assert!(error.starts_with("Redis answered LOADING "), "{error}");
    server.ask(&["CONFIG", "SET", "key-load-delay", "0"]);
    println!("loaded: {:?}", until_it_claims(&store).await);
    assert_eq!(store.claim(done, owner(), LONG).await.unwrap(), Claimed::Completed);
}

#[tokio::test]
async fn every_operation_on_a_frozen_server_is_bounded_and_works_again_afterwards() {
    let Some(server) = RedisServer::start() else { return };
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let (id, owner) = (id(), owner());
    let key = move || pierre_webhook_dedup::Key::new("", id);
    server.freeze();
    let mut operations = JoinSet::new();
    for operation in 0..5 {
        let store = store.clone();
        operations.spawn(async move {
            let start = Instant::now();
            let failed = match operation {
                0 => store.claim(key(), owner, LONG).await.map(drop),
                1 => store.renew(key(), owner, LONG).await.map(drop),
                2 => store.complete(key(), owner, LONG).await.map(drop),
                3 => store.forget(key()).await.map(drop),
                _ => store.release(key(), owner).await,
            };
            (failed.unwrap_err(), start.elapsed())
        });
    }
    while let Some(failed) = operations.join_next().await {
        let (error, took) = failed.unwrap();
        assert!(took < BOUND, "{error}: {took:?}");
    }
    server.thaw();
    until_it_claims(&store).await;
    // The server has run the commands it received while frozen; all of them are this owner's.
    assert!(store.complete(key(), owner, LONG).await.unwrap());
}

async fn fails(store: &RedisStore) -> (StoreError, Duration) {
    let start = Instant::now();
    let error = store.claim(key(), owner(), LONG).await.unwrap_err();
    (error, start.elapsed())
}
