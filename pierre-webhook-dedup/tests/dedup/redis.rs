//! `RedisStore`, over a real server that is stopped, frozen, demoted, emptied and cut off.

mod answers;
mod cancelled;
mod contract;
mod expiry;
mod outages;
mod reconnects;
mod runtimes;
mod secrecy;
mod settings;
mod sharing;
mod tls;

use std::time::Duration;

use pierre_webhook_dedup::{RedisStore, Store};
use tokio::time::{Instant, sleep};

use crate::unique::{LONG, is_yours, key, owner};

/// An operation takes at most a second; the rest is slack for a busy machine.
const BOUND: Duration = Duration::from_millis(1500);

/// Waits until the store claims a new key, and returns how long that took.
async fn until_it_claims(store: &RedisStore) -> Duration {
    let start = Instant::now();
    loop {
        match store.claim(key(), owner(), LONG).await {
            Ok(claimed) => {
                assert!(is_yours(&claimed));
                return start.elapsed();
            }
            Err(error) => {
                assert!(start.elapsed() < Duration::from_secs(10), "it does not heal: {error}");
                sleep(Duration::from_millis(2)).await;
            }
        }
    }
}
