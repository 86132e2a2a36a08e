//! The stores that can be checked. `--store` names one.

use pierre_webhook_dedup::{RedisStore, Store};

use crate::{faults::Fault, redis::Redis};

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Redis,
}

impl Kind {
    const ALL: [(Self, &'static str); 1] = [(Self::Redis, "redis")];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, other)| *other == name).map(|(kind, _)| *kind)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Redis => "redis",
        }
    }

    /// Starts the store's own server. Returns `None`, with a message, if it isn't installed.
    pub(crate) fn start(self) -> Option<Backend> {
        match self {
            Self::Redis => Redis::start().map(Backend::Redis),
        }
    }

    /// Opens the store in one of the processes under test.
    pub(crate) fn open(self, address: &str) -> Box<dyn Store> {
        match self {
            Self::Redis => Box::new(RedisStore::connect_lazy(address).expect("the URL of a Redis")),
        }
    }

    /// The ways in which only this store fails.
    pub(crate) fn faults(self) -> &'static [Fault] {
        match self {
            Self::Redis => crate::redis::FAULTS,
        }
    }
}

/// A store that runs.
pub(crate) enum Backend {
    Redis(Redis),
}

impl Backend {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Redis(_) => Kind::Redis,
        }
    }

    /// What a process under test passes to [`Kind::open`].
    pub(crate) fn address(&self, server: usize) -> String {
        match self {
            Self::Redis(redis) => redis.address(server),
        }
    }
}
