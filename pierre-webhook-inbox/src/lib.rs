#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(any(feature = "postgres", feature = "sqlite")),
    expect(dead_code, reason = "without a database there is nothing to store in")
)]

#[cfg(any(feature = "actix", feature = "tower"))]
mod answer;
mod backoff;
mod bound;
mod entry;
mod error;
mod inbox;
mod job;
#[cfg(feature = "metrics")]
#[cfg_attr(docsrs, doc(cfg(feature = "metrics")))]
pub mod metrics;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "actix", feature = "tower"))]
mod receiver;
mod row;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;
mod trace;
mod transaction;
mod upkeep;
mod worker;

/// The statements of the inbox, for users of other database crates.
pub mod sql {
    #[cfg(feature = "postgres")]
    pub use crate::postgres::sql as postgres;
    #[cfg(feature = "sqlite")]
    pub use crate::sqlite::sql as sqlite;
}

#[cfg(feature = "postgres")]
#[doc(no_inline)]
pub use deadpool_postgres;
#[cfg(any(feature = "actix", feature = "tower"))]
pub use receiver::Receiver;
#[cfg(feature = "sqlite")]
#[doc(no_inline)]
pub use rusqlite;
#[cfg(feature = "postgres")]
#[doc(no_inline)]
pub use tokio_postgres;
pub use {
    entry::{Entry, Inserted, Pruned, State, Stats},
    error::InboxError,
    inbox::Inbox,
    job::Job,
    transaction::Transaction,
    worker::Worker,
};
