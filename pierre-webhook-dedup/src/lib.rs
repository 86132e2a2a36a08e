#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "actix")]
mod actix;
#[cfg(any(feature = "actix", feature = "tower"))]
mod answer;
mod begin;
mod claim;
mod dedup;
mod duration;
mod error;
mod handle;
#[cfg(any(feature = "actix", feature = "tower"))]
mod handling;
#[cfg(feature = "tower")]
mod layer;
mod lease;
mod live;
mod memory;
#[cfg(feature = "metrics")]
#[cfg_attr(docsrs, doc(cfg(feature = "metrics")))]
pub mod metrics;
mod once;
mod owner;
mod panics;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
#[cfg(any(feature = "actix", feature = "tower"))]
mod rules;
mod run;
mod shutdown;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;
#[cfg(feature = "store-contract")]
pub mod store_contract;
mod terms;
mod trace;
mod transaction;
mod unrecorded;

#[cfg(feature = "actix")]
pub use crate::actix::{DedupMiddleware, DedupMiddlewareService};
#[cfg(feature = "postgres")]
pub use crate::postgres::PostgresStore;
#[cfg(feature = "redis")]
pub use crate::redis::RedisStore;
#[cfg(feature = "sqlite")]
pub use crate::sqlite::SqliteStore;
#[cfg(feature = "tower")]
pub use layer::{DedupLayer, DedupService};
#[doc(no_inline)]
pub use pierre_webhook_core::{DeliveryId, ParseDeliveryIdError};
#[cfg(feature = "sqlite")]
#[doc(no_inline)]
pub use rusqlite;
pub use {
    claim::{Begun, Claim},
    dedup::Dedup,
    error::StoreError,
    handle::LeaseHandle,
    live::Unfinished,
    memory::MemoryStore,
    once::{Once, OnceError, Recorded},
    owner::Owner,
    store::{Claimed, Key, Store, StoreFuture},
    transaction::Transaction,
};
#[cfg(feature = "postgres")]
#[doc(no_inline)]
pub use {deadpool_postgres, tokio_postgres};
