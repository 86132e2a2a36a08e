//! The stores that can be checked. `--store` names one.

use std::time::Duration;

use pierre_webhook_dedup::{PostgresStore, RedisStore, SqliteStore, Store};

use crate::{faults::Fault, postgres::Postgres, redis::Redis, sqlite::Sqlite};

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Redis,
    Postgres,
    Sqlite,
}

impl Kind {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Redis, "redis"), (Self::Postgres, "postgres"), (Self::Sqlite, "sqlite")];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, other)| *other == name).map(|(kind, _)| *kind)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
        }
    }

    /// Starts the store's own server. Returns `None`, with a message, if it isn't installed.
    pub(crate) fn start(self) -> Option<Backend> {
        match self {
            Self::Redis => Redis::start().map(Backend::Redis),
            Self::Postgres => Postgres::start().map(Backend::Postgres),
            Self::Sqlite => Some(Backend::Sqlite(Sqlite::start())),
        }
    }

    /// Opens the store in one of the processes under test.
    pub(crate) async fn open(self, address: &str) -> Box<dyn Store> {
        match self {
            Self::Redis => Box::new(RedisStore::connect_lazy(address).expect("the URL of a Redis")),
            Self::Postgres => {
                let store = PostgresStore::open(crate::postgres::pool(address)).await;
                Box::new(store.expect("a PostgreSQL that runs"))
            }
            Self::Sqlite => Box::new(SqliteStore::open(address).await.expect("a file")),
        }
    }

    /// The ways in which only this store fails.
    pub(crate) fn faults(self) -> &'static [Fault] {
        match self {
            Self::Redis => crate::redis::FAULTS,
            Self::Postgres => crate::postgres::FAULTS,
            Self::Sqlite => crate::sqlite::FAULTS,
        }
    }

    /// The longest time that an operation takes, and a while for the store to come back.
    pub(crate) fn slack(self) -> Duration {
        match self {
            Self::Redis => Duration::from_secs(1),
            Self::Postgres | Self::Sqlite => Duration::from_secs(3),
        }
    }
}

/// A store that runs.
pub(crate) enum Backend {
    Redis(Redis),
    Postgres(Postgres),
    Sqlite(Sqlite),
}

impl Backend {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Redis(_) => Kind::Redis,
            Self::Postgres(_) => Kind::Postgres,
            Self::Sqlite(_) => Kind::Sqlite,
        }
    }

    /// What a process under test passes to [`Kind::open`].
    pub(crate) fn address(&self, server: usize) -> String {
        match self {
            Self::Redis(redis) => redis.address(server),
            Self::Postgres(postgres) => postgres.address(server),
            Self::Sqlite(sqlite) => sqlite.address(),
        }
    }

    /// Returns whether a process that is frozen now keeps the others from the store.
    pub(crate) fn is_blocked(&self) -> bool {
        match self {
            Self::Redis(_) | Self::Postgres(_) => false,
            Self::Sqlite(sqlite) => sqlite.is_locked(),
        }
    }

    pub(crate) fn redis(&mut self) -> &mut Redis {
        let Self::Redis(redis) = self else { panic!("not Redis") };
        redis
    }

    pub(crate) fn postgres(&mut self) -> &mut Postgres {
        let Self::Postgres(postgres) = self else { panic!("not PostgreSQL") };
        postgres
    }

    pub(crate) fn sqlite(&mut self) -> &mut Sqlite {
        let Self::Sqlite(sqlite) = self else { panic!("not SQLite") };
        sqlite
    }
}
