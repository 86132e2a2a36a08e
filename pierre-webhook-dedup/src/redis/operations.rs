//! The operations of the store, as Redis is asked for them.

use std::{sync::Arc, time::Duration};

use redis::{Value, cmd};

use super::{
    RedisStore,
    failure::Failure,
    request::Request,
    script::{COMPLETE, RELEASE, RENEW, REST, Script},
    server::{Server, Time},
};
use crate::{
    expiry,
    owner::Owner,
    store::{Claimed, Key, Store, StoreFuture},
};

impl Store for RedisStore {
    fn claim<'a>(
        &'a self,
        key: Key<'a>,
        owner: Owner,
        lease: Duration,
    ) -> StoreFuture<'a, Claimed> {
        Box::pin(async move {
            let place = Place::new(key, owner);
            Ok(place.claim(&self.server, Milliseconds::new(lease)).await?)
        })
    }

    fn renew<'a>(&'a self, key: Key<'a>, owner: Owner, lease: Duration) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let place = Place::new(key, owner);
            Ok(place.does(&self.server, &RENEW, Milliseconds::new(lease)).await?)
        })
    }

    fn complete<'a>(
        &'a self,
        key: Key<'a>,
        owner: Owner,
        retention: Duration,
    ) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let place = Place::new(key, owner);
            Ok(place.does(&self.server, &COMPLETE, Milliseconds::new(retention)).await?)
        })
    }

    fn release<'a>(&'a self, key: Key<'a>, owner: Owner) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let place = Place::new(key, owner);
            Ok(place.does(&self.server, &RELEASE, UNUSED).await.map(drop)?)
        })
    }

    fn forget<'a>(&'a self, key: Key<'a>) -> StoreFuture<'a, bool> {
        Box::pin(async move { Ok(forget(&self.server, &name(key)).await?) })
    }

    fn abandon(&self, key: Key<'_>, owner: Owner) {
        let (place, server) = (Place::new(key, owner), Arc::clone(&self.server));
        self.abandoned.spawn(async move {
            // Where it fails the lease lapses.
            let _ = place.does(&server, &RELEASE, UNUSED).await;
        });
    }
}

/// A key, for its owner.
struct Place {
    name: String,
    owner: String,
}

impl Place {
    fn new(key: Key<'_>, owner: Owner) -> Self {
        Self { name: name(key), owner: owner.to_string() }
    }

    /// A script would be one question less where another holds the key, and costs more where none does, which
    /// is nearly always.
    async fn claim(&self, server: &Server, lease: Milliseconds) -> Result<Claimed, Failure> {
        let time = Time::start()?;
        let mut set = cmd("SET");
        set.arg(&self.name).arg(&self.owner).arg("NX").arg("GET").arg("PX").arg(lease.0);
        match server.ask(&Request::Command(set), &time).await? {
            Value::Nil => Ok(Claimed::Yours),
            // The answer to the first time was lost.
            Value::BulkString(holder) if holder == self.owner.as_bytes() => Ok(Claimed::Yours),
            Value::BulkString(holder) if holder.starts_with(b"done:") => Ok(Claimed::Completed),
            Value::BulkString(_) => match self.call(server, &REST, lease, &time).await? {
                -1 => Ok(Claimed::Completed),
                rest => Ok(Claimed::InProgress {
                    retry_after: Duration::from_millis(u64::try_from(rest).unwrap_or(0)),
                }),
            },
            _ => Err(Failure::Unexpected),
        }
    }

    /// Whether the script did it.
    async fn does(
        &self,
        server: &Server,
        script: &'static Script,
        expiry: Milliseconds,
    ) -> Result<bool, Failure> {
        Ok(self.call(server, script, expiry, &Time::start()?).await? == 1)
    }

    async fn call(
        &self,
        server: &Server,
        script: &'static Script,
        expiry: Milliseconds,
        time: &Time,
    ) -> Result<i64, Failure> {
        let (key, owner, milliseconds) = (&self.name, &self.owner, expiry.0);
        let request = Request::Script { script, key, owner, milliseconds };
        match server.ask(&request, time).await? {
            Value::Int(answer) => Ok(answer),
            _ => Err(Failure::Unexpected),
        }
    }
}

async fn forget(server: &Server, name: &str) -> Result<bool, Failure> {
    let mut delete = cmd("DEL");
    delete.arg(name);
    match server.ask(&Request::Command(delete), &Time::start()?).await? {
        Value::Int(removed) => Ok(removed == 1),
        _ => Err(Failure::Unexpected),
    }
}

fn name(key: Key<'_>) -> String {
    format!("pierre-webhook:{key}")
}

/// A lease or a retention, for `PX`.
#[derive(Clone, Copy)]
struct Milliseconds(u64);

/// For a script that sets no expiry.
const UNUSED: Milliseconds = Milliseconds(0);

impl Milliseconds {
    fn new(time: Duration) -> Self {
        // Ten years at most, which it always holds.
        Self(u64::try_from(expiry::bounded(time).as_millis()).unwrap_or(u64::MAX))
    }
}
