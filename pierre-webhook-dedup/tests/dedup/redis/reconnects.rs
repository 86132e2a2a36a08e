//! How often the store connects, and for how long an attempt goes on.

use std::{net::TcpListener, time::Duration};

use pierre_webhook_dedup::{Dedup, RedisStore, Store};
use pierre_webhook_tests::{
    proxy::{Fate, Proxy},
    redis_server::{RedisServer, free_port},
};
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

use super::{BOUND, until_it_claims};
use crate::unique::{LONG, id, is_yours, key, owner};

/// The pauses between attempts grow to this.
const LONGEST_PAUSE: Duration = Duration::from_millis(250);
/// Slack for a busy machine.
const SLACK: Duration = Duration::from_millis(500);

#[tokio::test]
async fn a_server_that_is_slow_to_connect_is_used_once_it_has_connected() {
    let Some(server) = RedisServer::start() else { return };
    let milliseconds = Duration::from_millis;
    for (connecting, answering) in [(850, 100), (1100, 0), (1100, 200)] {
        let proxy = Proxy::to(server.address());
        proxy.slow_down_new(milliseconds(connecting), milliseconds(answering));
        let store = RedisStore::connect_lazy(&proxy.url()).unwrap();
        let took = until_it_claims(&store).await;
        println!("{connecting} ms to connect, {answering} ms to answer: {took:?}");
        assert!(took < Duration::from_secs(3), "{took:?}");
        assert_eq!(proxy.accepted(), 1, "an attempt was given up");
        let start = Instant::now();
        assert!(is_yours(&store.claim(key(), owner(), LONG).await.unwrap()));
        assert!(start.elapsed() < milliseconds(answering) + SLACK, "{:?}", start.elapsed());
    }
}

#[tokio::test]
async fn an_attempt_that_gets_no_answer_is_given_up() {
    let Some(server) = RedisServer::start() else { return };
    let proxy = Proxy::to(server.address());
    proxy.set_new(Fate::Silent);
    let store = RedisStore::connect_lazy(&proxy.url()).unwrap();
    store.claim(key(), owner(), LONG).await.unwrap_err();
    proxy.set_new(Fate::Passes);
    let took = until_it_claims(&store).await;
    println!("passes again: {took:?}");
    assert!(took < BOUND + SLACK, "{took:?}");
    assert_eq!(proxy.accepted(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_claims_on_a_read_only_server_make_few_connections() {
    let Some(server) = RedisServer::start() else { return };
    let proxy = Proxy::to(server.address());
    let store = RedisStore::connect(&proxy.url()).await.unwrap();
    let dedup = Dedup::new(store.clone());
    server.demote();
    let start = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..512 {
        let dedup = dedup.clone();
        callers.spawn(async move { dedup.begin(id()).await.unwrap_err() });
    }
    let mut errors = callers.join_all().await;
    for _ in 0..512 {
        errors.push(dedup.begin(id()).await.unwrap_err());
    }
    for error in errors {
        assert!(error.to_string().starts_with("Redis answered READONLY "), "{error}");
    }
    let (took, accepted) = (start.elapsed(), proxy.accepted());
    println!("read-only: {accepted} connections in {took:?} for 1024 claims");
    let most = most_connections(took);
    assert!(accepted <= most, "{accepted} of {most} in {took:?}");

    server.promote();
    let took = until_it_claims(&store).await;
    println!("promoted: {took:?}");
    assert!(took < LONGEST_PAUSE + SLACK, "{took:?}");
}

#[tokio::test]
async fn a_server_that_is_down_is_tried_less_and_less_often() {
    // It accepts, and closes at once.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let accepted = std::thread::spawn(move || {
        let mut accepted = 0;
        for stream in listener.incoming() {
            let mut first = [0; 1];
            accepted += 1;
            if stream.unwrap().peek(&mut first).unwrap_or(0) == 1 && &first == b"!" {
                return accepted - 1;
            }
        }
        accepted
    });
    let store = RedisStore::connect_lazy(&url).unwrap();
    let start = Instant::now();
    let mut claims = 0_u32;
    while start.elapsed() < LONGEST_PAUSE * 4 {
        let began = Instant::now();
        let error = store.claim(key(), owner(), LONG).await.unwrap_err();
        assert!(error.to_string().starts_with("no connection to Redis: "), "{error}");
        assert!(began.elapsed() < BOUND);
        claims += 1;
        tokio::task::yield_now().await;
    }
    let took = start.elapsed();
    let address = url.strip_prefix("redis://").unwrap();
    std::io::Write::write_all(&mut std::net::TcpStream::connect(address).unwrap(), b"!").unwrap();
    let accepted = accepted.join().unwrap();
    println!("down: {accepted} connections in {took:?} for {claims} claims");
    assert!(claims > 1000 && accepted <= most_connections(took), "{accepted} for {claims}");
}

#[tokio::test]
async fn a_server_that_is_back_is_used_within_the_longest_pause() {
    let Some(mut server) = RedisServer::start() else { return };
    let store = RedisStore::connect(&server.url()).await.unwrap();
    server.kill();
    let down = async {
        loop {
            store.claim(key(), owner(), LONG).await.unwrap_err();
            tokio::task::yield_now().await;
        }
    };
    // Long enough that the pauses no longer grow.
    let _: Result<(), _> = timeout(LONGEST_PAUSE * 4, down).await;
    server.start_again();
    let took = until_it_claims(&store).await;
    println!("back: {took:?}");
    assert!(took < LONGEST_PAUSE + SLACK, "{took:?}");
}

#[tokio::test]
async fn the_first_failure_is_followed_by_an_attempt_without_a_pause() {
    let Some(server) = RedisServer::start() else { return };
    let proxy = Proxy::to(server.address());
    let store = RedisStore::connect(&proxy.url()).await.unwrap();
    for round in 1..=20 {
        until_it_claims(&store).await;
        // The operation is retried on a new connection, so its caller notices nothing.
        proxy.set(Fate::CutAtTheAnswer);
        assert!(is_yours(&store.claim(key(), owner(), LONG).await.unwrap()));
        assert_eq!(proxy.accepted(), 1 + round);
    }
    let store = RedisStore::connect_lazy(&format!("redis://127.0.0.1:{}", free_port())).unwrap();
    store.claim(key(), owner(), LONG).await.unwrap_err();
}

/// The connections that this time is enough for: one before the failure, two without a pause, six while the pauses
/// double, and then one for each of the longest pauses.
fn most_connections(time: Duration) -> usize {
    let pauses = time.as_millis() / LONGEST_PAUSE.as_millis();
    1 + 2 + 6 + usize::try_from(pauses).unwrap()
}
