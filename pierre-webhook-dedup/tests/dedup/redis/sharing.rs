//! Many callers share one connection.

use pierre_webhook_dedup::{RedisStore, Store};
use pierre_webhook_tests::{
    proxy::{Fate, Proxy},
    redis_server::RedisServer,
};
use tokio::task::JoinSet;

use crate::unique::{LONG, id, is_yours, key, owner};

#[tokio::test(flavor = "multi_thread")]
async fn many_callers_share_one_connection_and_one_attempt_to_connect() {
    let Some(server) = RedisServer::start() else { return };
    let proxy = Proxy::to(server.address());
    let store = RedisStore::connect_lazy(&proxy.url()).unwrap();
    for round in 1..=5 {
        let mut callers = JoinSet::new();
        for _ in 0..500 {
            let store = store.clone();
            callers.spawn(async move { store.claim(key(), owner(), LONG).await.unwrap() });
        }
        while let Some(claimed) = callers.join_next().await {
            assert!(is_yours(&claimed.unwrap()));
        }
        assert_eq!(proxy.accepted(), round);
        proxy.set(Fate::CutAtTheAnswer);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_one_of_many_redis_stores_wins_a_claim() {
    let Some(server) = RedisServer::start() else { return };
    for _ in 0..20 {
        let id = id();
        let mut racers = JoinSet::new();
        for _ in 0..16 {
            let store = RedisStore::connect_lazy(&server.url()).unwrap();
            racers.spawn(async move {
                let key = pierre_webhook_dedup::Key::new("", id);
                store.claim(key, owner(), LONG).await.unwrap()
            });
        }
        let claimed = racers.join_all().await;
        let winners = claimed.iter().filter(|claimed| is_yours(claimed)).count();
        assert_eq!(winners, 1, "{claimed:?}");
    }
}
