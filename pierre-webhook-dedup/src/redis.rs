//! `RedisStore`: for several processes, and across restarts.
//!
//! An operation makes three hops: the store says which command or [`Script`](script::Script) it is and what the
//! answer means, the [`Client`] bounds it in time and retries it, and a [`Connection`](connection::Connection)
//! sends it.

mod address;
mod client;
mod command;
mod connection;
mod failure;
mod releases;
mod script;
mod server;
mod slot;
#[cfg(feature = "redis-tls")]
mod tls;

use std::{fmt, sync::Arc, time::Duration};

use ::redis::{Value, cmd};

use self::{
    address::Address,
    client::{Client, Deadline},
    command::Command,
    failure::Failure,
    releases::Releases,
    script::{CLAIM, COMPLETE, RELEASE, RENEW, Script},
};
use crate::{
    duration,
    error::StoreError,
    owner::Owner,
    store::{Claimed, Key, Store, StoreFuture},
};

/// A [`Store`] in Redis, for a service of several processes, or one that must remember deliveries when it
/// restarts.
///
/// It needs Redis 7.0 or later, or a compatible server, and a tokio runtime with I/O and time. Clones share one
/// connection. It is made when it is first needed, made again after it fails, and outlives the runtime that made
/// it. Every operation ends within a second: an answer is awaited for 400 ms, and the operation is retried once
/// on a new connection.
///
/// Each delivery is one key, `pierre-webhook:<scope>:<hex>`, which expires by the server's clock. Its value is the
/// owner while the delivery is in progress, and `done:` and the owner once it is completed. Set
/// `maxmemory-policy noeviction`: a delivery whose key was evicted is handled again. So is one whose key wasn't yet
/// on disk, or on the replica, when the server was lost.
///
/// The fencing token of a claim is the server's time in microseconds. It is larger than that of a claim whose lease has
/// expired, since the same clock decides about that. It can be smaller than that of a claim that was released,
/// forgotten, evicted or lost, if the server's clock was set back in between, or a replica with a slower clock was
/// promoted.
///
/// The Redis user needs the commands `SET`, `DEL`, `PTTL`, `PEXPIRE`, `GET`, `TIME`, `EVAL`, `EVALSHA` and `PING`, and
/// `SELECT` for a database other than 0.
///
/// ```no_run
/// use pierre_webhook_dedup::{Dedup, RedisStore};
///
/// # async fn example() -> Result<(), pierre_webhook_dedup::StoreError> {
/// let dedup = Dedup::new(RedisStore::connect("redis://127.0.0.1/").await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisStore {
    client: Arc<Client>,
    releases: Releases,
}

impl RedisStore {
    /// Connects to the server at `redis://[user:password@]host[:port][/database]` and checks that it answers.
    ///
    /// The feature `redis-tls` adds `rediss://`. It verifies the certificate with the platform's roots, or those
    /// that `SSL_CERT_FILE` and `SSL_CERT_DIR` name. A Unix socket is `unix:///path?user=..&pass=..&db=..`.
    ///
    /// # Errors
    ///
    /// Returns an error if the URL isn't a valid Redis URL, if the server doesn't answer within a second or
    /// rejects the user, or if there is no tokio runtime. The error contains no part of the URL.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        let store = Self::connect_lazy(url)?;
        store.client.send(&Command::Plain(cmd("PING")), &Deadline::start()?).await?;
        Ok(store)
    }

    /// Like [`connect`](Self::connect), but connects at the first operation, so that a service can start while
    /// Redis is down.
    ///
    /// # Errors
    ///
    /// Returns an error if the URL isn't a valid Redis URL.
    pub fn connect_lazy(url: &str) -> Result<Self, StoreError> {
        let client = Client::new(Address::parse(url)?);
        Ok(Self { client: Arc::new(client), releases: Releases::new() })
    }
}

impl Store for RedisStore {
    fn claim<'a>(
        &'a self,
        key: Key<'a>,
        owner: Owner,
        lease: Duration,
    ) -> StoreFuture<'a, Claimed> {
        Box::pin(async move {
            let (key, owner, lease) = (redis_key(key), owner.to_string(), milliseconds(lease));
            let command = CLAIM.call(&key, &owner, lease);
            Ok(claimed(self.client.send(&command, &Deadline::start()?).await?)?)
        })
    }

    fn renew<'a>(&'a self, key: Key<'a>, owner: Owner, lease: Duration) -> StoreFuture<'a, bool> {
        Box::pin(async move { Ok(run(&self.client, &RENEW, key, owner, lease).await?) })
    }

    fn complete<'a>(
        &'a self,
        key: Key<'a>,
        owner: Owner,
        retention: Duration,
    ) -> StoreFuture<'a, bool> {
        Box::pin(async move { Ok(run(&self.client, &COMPLETE, key, owner, retention).await?) })
    }

    fn release<'a>(&'a self, key: Key<'a>, owner: Owner) -> StoreFuture<'a, ()> {
        Box::pin(async move { Ok(release(&self.client, &redis_key(key), owner).await?) })
    }

    fn forget<'a>(&'a self, key: Key<'a>) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let mut delete = cmd("DEL");
            delete.arg(redis_key(key));
            let answer = self.client.send(&Command::Plain(delete), &Deadline::start()?).await?;
            Ok(integer(answer)? == 1)
        })
    }

    fn abandon(&self, key: Key<'_>, owner: Owner) {
        let (client, key) = (Arc::clone(&self.client), redis_key(key));
        self.releases.spawn(async move {
            // If it fails, the lease expires.
            let _ = release(&client, &key, owner).await;
        });
    }
}

/// Runs a script that sets an expiry, and returns whether it did.
async fn run(
    client: &Client,
    script: &'static Script,
    key: Key<'_>,
    owner: Owner,
    expiry: Duration,
) -> Result<bool, Failure> {
    let (key, owner) = (redis_key(key), owner.to_string());
    let command = script.call(&key, &owner, milliseconds(expiry));
    Ok(integer(client.send(&command, &Deadline::start()?).await?)? == 1)
}

async fn release(client: &Client, key: &str, owner: Owner) -> Result<(), Failure> {
    let owner = owner.to_string();
    let command = RELEASE.call(key, &owner, 0);
    integer(client.send(&command, &Deadline::start()?).await?).map(drop)
}

fn claimed(answer: Value) -> Result<Claimed, Failure> {
    let Value::Array(answer) = answer else { return Err(Failure::Unexpected) };
    let [Value::Int(kind), Value::Int(number)] = *answer else { return Err(Failure::Unexpected) };
    let number = u64::try_from(number).map_err(|_| Failure::Unexpected)?;
    match kind {
        0 => Ok(Claimed::Yours { fencing_token: number }),
        1 => Ok(Claimed::InProgress { retry_after: Duration::from_millis(number) }),
        2 => Ok(Claimed::Completed),
        _ => Err(Failure::Unexpected),
    }
}

fn integer(answer: Value) -> Result<i64, Failure> {
    match answer {
        Value::Int(integer) => Ok(integer),
        _ => Err(Failure::Unexpected),
    }
}

fn redis_key(key: Key<'_>) -> String {
    format!("pierre-webhook:{key}")
}

/// A lease or a retention as the argument of `PX`.
fn milliseconds(expiry: Duration) -> u64 {
    // Ten years at most, so it always fits.
    u64::try_from(duration::storable(expiry).as_millis()).unwrap_or(u64::MAX)
}

/// Prints no part of the URL: if a password isn't escaped, parts of it parse as the host.
impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").finish_non_exhaustive()
    }
}
