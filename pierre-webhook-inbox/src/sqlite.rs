//! The inbox in a SQLite file.

mod checkpoints;
mod read;
pub mod sql;
mod thread;
mod transaction;
mod write;

use std::{fmt, path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use pierre_webhook_core::DeliveryId;
use rusqlite::{Connection, TransactionBehavior};

use self::{checkpoints::Checkpoints, thread::DatabaseThread};
use crate::{
    entry::{Entry, Inserted, Pruned, State, Stats},
    error::InboxError,
    row::{NewRow, TakenRow},
    store::{Outcome, Prune, ROWS_AT_ONCE, Store, StoreFuture, Take, Ticket},
};

/// How long another process may hold the write lock. Shorter than an operation's time limit.
const BUSY_TIMEOUT: Duration = Duration::from_secs(4);

/// One connection writes and one reads, each in a thread of its own, since SQLite blocks.
pub(crate) struct Sqlite {
    writer: DatabaseThread,
    reader: DatabaseThread,
}

impl Sqlite {
    /// Opens or creates the file, and brings its table up to date. Blocks.
    pub(crate) fn open(path: &Path) -> Result<Self, InboxError> {
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        let mode: String =
            connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        if mode != "wal" {
            return Err(InboxError::database(format!("SQLite has no WAL here, but {mode}")));
        }
        connection.execute_batch("PRAGMA synchronous = FULL")?;
        let checkpoints = Checkpoints::start(path, &connection)?;
        migrate(&mut connection)?;
        let reader = Connection::open(path)?;
        reader.busy_timeout(BUSY_TIMEOUT)?;
        reader.execute_batch("PRAGMA query_only = ON")?;
        Ok(Self {
            writer: DatabaseThread::start(
                "pierre-inbox-write",
                connection,
                "BEGIN IMMEDIATE",
                move || checkpoints.committed(),
            )?,
            reader: DatabaseThread::start("pierre-inbox-read", reader, "BEGIN", || {})?,
        })
    }
}

fn migrate(connection: &mut Connection) -> Result<(), InboxError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(sql::CREATE_VERSION)?;
    let version: Option<u32> = transaction.query_row(sql::SELECT_VERSION, [], |row| row.get(0))?;
    let version = usize::try_from(version.unwrap_or(0)).unwrap_or(usize::MAX);
    if version > sql::MIGRATIONS.len() {
        let text = format!("its schema has version {version}, which this crate doesn't know");
        return Err(InboxError::database(text));
    }
    for step in sql::MIGRATIONS.iter().skip(version) {
        transaction.execute_batch(step)?;
    }
    let newest = u32::try_from(sql::MIGRATIONS.len()).unwrap_or(u32::MAX);
    transaction.execute(sql::WRITE_VERSION, [newest])?;
    Ok(transaction.commit()?)
}

impl Store for Sqlite {
    fn insert(&self, row: NewRow) -> StoreFuture<'_, Inserted> {
        self.writer.call(move |connection| write::insert(connection, &row))
    }

    fn waiting(&self, scope: Arc<str>, limit: u64) -> StoreFuture<'_, u64> {
        self.reader.call(move |connection| read::waiting(connection, &scope, limit))
    }

    fn take(&self, scope: Arc<str>, take: Take) -> StoreFuture<'_, Vec<TakenRow>> {
        self.writer.call(move |connection| write::take(connection, &scope, take))
    }

    fn clock_set_back(&self, scope: Arc<str>, lease: Duration) -> StoreFuture<'_, u64> {
        self.writer.call(move |connection| write::clock_set_back(connection, &scope, lease))
    }

    fn renew(&self, ticket: Ticket, lease: Duration) -> StoreFuture<'_, bool> {
        self.writer.call(move |connection| write::renew(connection, &ticket, lease))
    }

    fn settle(&self, ticket: Ticket, outcome: Outcome) -> StoreFuture<'_, bool> {
        self.writer.call(move |connection| write::settle(connection, &ticket, &outcome))
    }

    fn stats(&self, scope: Arc<str>) -> StoreFuture<'_, Stats> {
        self.reader.call(move |connection| read::stats(connection, &scope))
    }

    fn entries(&self, scope: Arc<str>, state: State, limit: i64) -> StoreFuture<'_, Vec<Entry>> {
        self.reader.call(move |connection| read::entries(connection, &scope, state, limit))
    }

    fn find(
        &self,
        scope: Arc<str>,
        id: DeliveryId,
    ) -> StoreFuture<'_, Vec<(Entry, Option<Bytes>)>> {
        self.reader.call(move |connection| read::find(connection, &scope, id))
    }

    fn retry(&self, scope: Arc<str>, id: DeliveryId) -> StoreFuture<'_, bool> {
        self.writer.call(move |connection| write::retry(connection, &scope, id))
    }

    fn discard(&self, scope: Arc<str>, id: DeliveryId) -> StoreFuture<'_, bool> {
        self.writer.call(move |connection| write::discard(connection, &scope, id))
    }

    fn prune(&self, scope: Arc<str>, prune: Prune) -> StoreFuture<'_, Pruned> {
        Box::pin(async move {
            let mut pruned = Pruned::default();
            let most = u64::try_from(ROWS_AT_ONCE).unwrap_or_default();
            loop {
                let scope = scope.clone();
                let work = move |connection: &Connection| write::prune(connection, &scope, prune);
                let step = self.writer.call(work).await?;
                pruned.bodies = pruned.bodies.saturating_add(step.bodies);
                pruned.entries = pruned.entries.saturating_add(step.entries);
                if step.bodies.max(step.entries) < most {
                    return Ok(pruned);
                }
            }
        })
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").finish_non_exhaustive()
    }
}
