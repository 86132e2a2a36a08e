//! Servers that the store can't use, and settings of which it warns.

use pierre_webhook_dedup::{RedisStore, Store};
use pierre_webhook_tests::{
    proxy::{Fate, Proxy},
    redis_server::{RedisServer, Reply},
};

use super::until_it_claims;
use crate::{
    trace::Log,
    unique::{LONG, key, owner},
};

const CLUSTER: &str =
    "Redis Cluster is not supported: connect to a server that is not part of a cluster";
const EVICTS: &str = "WARN message=Redis may evict completed deliveries, which are then handled again: \
     set maxmemory-policy noeviction";
const KEEPS_NOTHING: &str = "WARN message=Redis keeps nothing on disk, so completed deliveries are handled again after it \
     restarts: set appendonly yes";

#[tokio::test]
async fn a_cluster_node_is_refused_when_connecting_and_at_the_first_use() {
    let Some(server) = RedisServer::with(&["--cluster-enabled", "yes"]) else { return };
    assert_eq!(RedisStore::connect(&server.url()).await.unwrap_err().to_string(), CLUSTER);
    let store = RedisStore::connect_lazy(&server.url()).unwrap();
    for _ in 0..3 {
        let error = store.claim(key(), owner(), LONG).await.unwrap_err();
        assert_eq!(error.to_string(), CLUSTER);
    }
}

#[tokio::test]
async fn a_cluster_node_that_forbids_info_is_refused_by_its_redirections() {
    let Some(server) = RedisServer::with(&["--cluster-enabled", "yes"]) else { return };
    forbid(&server, &["-info"]);
    // It has one slot, so that it redirects nearly all keys to a node that isn't there, or says that there is none.
    assert_eq!(server.ask(&["CLUSTER", "ADDSLOTS", "0"]), Reply::Text("OK".into()));
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let error = store.claim(key(), owner(), LONG).await.unwrap_err();
    assert_eq!(error.to_string(), CLUSTER);
}

#[tokio::test]
async fn a_sentinel_is_refused_when_connecting_and_at_the_first_use() {
    let Some(sentinel) = RedisServer::sentinel() else { return };
    let refused =
        "this is a Redis Sentinel, which stores nothing: connect to the master that it watches";
    assert_eq!(RedisStore::connect(&sentinel.url()).await.unwrap_err().to_string(), refused);
    let store = RedisStore::connect_lazy(&sentinel.url()).unwrap();
    let error = store.claim(key(), owner(), LONG).await.unwrap_err();
    assert_eq!(error.to_string(), refused);
}

#[tokio::test]
async fn settings_that_lose_deliveries_are_logged_once_for_a_store() {
    let appendonly = ["--appendonly", "yes"];
    let snapshots = ["--save", "60 1"];
    let evicts = ["--appendonly", "yes", "--maxmemory-policy", "allkeys-lru"];
    let both = ["--maxmemory-policy", "volatile-ttl"];
    for (options, warnings) in [
        (&appendonly[..], &[][..]),
        (&snapshots, &[]),
        (&[], &[KEEPS_NOTHING]),
        (&evicts, &[EVICTS]),
        (&both, &[EVICTS, KEEPS_NOTHING]),
    ] {
        let Some(server) = RedisServer::with(options) else { return };
        let proxy = Proxy::to(server.address());
        for protocol in ["2", "3"] {
            let (log, _guards) = Log::start();
            let url = format!("{}?protocol={protocol}", proxy.url());
            let store = RedisStore::connect(&url).await.unwrap();
            assert_eq!(log.take_all(), warnings, "{options:?} {protocol}");
            proxy.set(Fate::CutAtTheAnswer);
            until_it_claims(&store).await;
            assert_eq!(log.take_all(), [""; 0], "it connected again: {options:?} {protocol}");
        }
    }
}

#[tokio::test]
async fn what_the_user_may_not_ask_is_not_warned_of() {
    let options = ["--maxmemory-policy", "allkeys-lru"];
    let Some(server) = RedisServer::with(&options) else { return };
    for (rules, warnings) in [(&["-config"][..], &[EVICTS][..]), (&["-info", "-config"], &[])] {
        forbid(&server, rules);
        let (log, _guards) = Log::start();
        let store = RedisStore::connect(&server.url()).await.unwrap();
        until_it_claims(&store).await;
        assert_eq!(log.take_all(), warnings, "{rules:?}");
    }
}

/// Changes what the default user may do.
fn forbid(server: &RedisServer, rules: &[&str]) {
    let command = [&["ACL", "SETUSER", "default"], rules].concat();
    assert_eq!(server.ask(&command), Reply::Text("OK".into()));
}
