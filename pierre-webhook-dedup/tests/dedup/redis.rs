//! The Redis store, over a real server that is stopped, frozen, demoted, emptied, and cut off.

mod answers;
mod cancelled;
mod expiry;
mod outages;
mod proxy;
mod runtimes;
mod secrecy;
mod sharing;
mod tls;

use std::time::Duration;

use pierre_webhook_dedup::{Claimed, RedisStore, Store};
use pierre_webhook_tests::redis_server::RedisServer;
use tokio::time::{Instant, sleep};

use crate::contract::{self, LONG, key, owner};

/// An operation is over in one second; the machine that runs the tests may have others to do.
const BOUND: Duration = Duration::from_millis(1500);

#[tokio::test]
async fn it_keeps_to_what_every_store_must() {
    let Some(server) = RedisServer::start() else { return };
    let store = RedisStore::connect(&server.url()).await.unwrap();
    contract::holds(&store).await;
    contract::holds(&RedisStore::connect_lazy(&server.url()).unwrap()).await;
}

#[tokio::test]
async fn it_keeps_to_it_also_in_the_newer_protocol() {
    let Some(server) = RedisServer::start() else { return };
    let url = format!("{}?protocol=resp3", server.url());
    contract::holds(&RedisStore::connect(&url).await.unwrap()).await;
}

#[tokio::test]
async fn it_keeps_to_it_over_a_unix_socket() {
    let Some(server) = RedisServer::with(&["--unixsocket", "socket"]) else { return };
    let url = format!("unix://{}", server.directory().join("socket").display());
    contract::holds(&RedisStore::connect(&url).await.unwrap()).await;
}

/// Waits for the store to claim a new key, and says how long that took.
async fn until_it_claims(store: &RedisStore) -> Duration {
    let start = Instant::now();
    loop {
        match store.claim(key(), owner(), LONG).await {
            Ok(claimed) => {
                assert_eq!(claimed, Claimed::Yours);
                return start.elapsed();
            }
            Err(error) => {
                assert!(start.elapsed() < Duration::from_secs(10), "it does not heal: {error}");
                sleep(Duration::from_millis(2)).await;
            }
        }
    }
}
