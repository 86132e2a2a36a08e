//! The store of several processes.

mod abandoned;
mod address;
mod connection;
mod failure;
mod operations;
mod request;
mod script;
mod server;
#[cfg(feature = "redis-tls")]
mod tls;

use std::{fmt, sync::Arc};

use self::{abandoned::Abandoned, address::Address, server::Server};
use crate::error::StoreError;

/// Keeps the records in Redis: for a service of several processes, or one whose restarts must not forget.
///
/// Redis 7.0 or later, or a server that speaks as it does; a tokio runtime with I/O and time. Clones share one
/// connection, which is made when it is first needed and again when it fails, and which outlives the runtime
/// that made it. Every operation ends within a second: an answer is awaited for 400 ms, and asked for once
/// more on a new connection.
///
/// A delivery is one key, `pierre-webhook:<scope>:<hex>`, with the server's clock: its value is the owner
/// while it is in progress, and `done:` with the owner once it is completed. Give Redis
/// `maxmemory-policy noeviction`: a key that was evicted is a delivery that is handled again, as is one that
/// was not yet on disk, or on the replica, when the server was lost.
///
/// The user needs the commands `SET`, `DEL`, `PTTL`, `PEXPIRE`, `GET`, `EVAL`, `EVALSHA` and `PING`, and
/// for a database other than 0 `SELECT`.
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
    server: Arc<Server>,
    abandoned: Abandoned,
}

impl RedisStore {
    /// Of the server at `redis://[user:password@]host[:port][/database]`, which answers.
    ///
    /// With the feature `redis-tls` also `rediss://`: its certificate is verified with the roots of the
    /// platform, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name. A Unix socket is
    /// `unix:///path?user=..&pass=..&db=..`.
    ///
    /// # Errors
    ///
    /// Where the URL is none of Redis's, the server does not answer within a second or refuses the user, and
    /// outside of a tokio runtime. Its text holds nothing of the URL.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        let store = Self::connect_lazy(url)?;
        store.server.ping().await?;
        Ok(store)
    }

    /// As [`connect`](Self::connect), at the first operation: for a service that is to start also while Redis
    /// is down.
    ///
    /// # Errors
    ///
    /// Where the URL is none of Redis's.
    pub fn connect_lazy(url: &str) -> Result<Self, StoreError> {
        let server = Server::new(Address::parse(url)?);
        Ok(Self { server: Arc::new(server), abandoned: Abandoned::new() })
    }
}

/// Nothing of the URL: where a password was not escaped, parts of it pass for the host.
impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").finish_non_exhaustive()
    }
}
