//! `SqliteStore`: for one machine, across restarts.

mod records;
mod sql;
mod thread;
mod transaction;

use std::{
    fmt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use rusqlite::{Connection, TransactionBehavior};
use tokio::task::spawn_blocking;

use self::{
    records::RecordKey,
    thread::{DatabaseThread, Durability},
};
use crate::{
    error::StoreError,
    owner::Owner,
    store::{Claimed, Key, Store, StoreFuture},
};

/// How long another process may hold the write lock. Shorter than an operation's time limit.
const BUSY_TIMEOUT: Duration = Duration::from_millis(1_500);

/// A [`Store`] in a SQLite file, for the processes of one machine: it remembers deliveries across restarts and needs no
/// server. SQLite is compiled in. Requires the feature `sqlite`.
///
/// The file is in WAL mode, so two more stand beside it while it is open, `-wal` and `-shm`. Keep all three on a local
/// disk, and readable by the service alone: SQLite creates them with the permissions that the process's umask leaves.
///
/// A completion is on the disk before it is answered: it survives a power cut. A claim survives the process, but
/// perhaps not a power cut, which ends the work as well. Operations run one after the other in a thread of their own
/// and take at most 2 seconds: if the disk is full or read-only, or another process holds the write lock for longer,
/// they fail, and heal by themselves. Records that have ended are deleted while deliveries arrive, a few at a time.
///
/// Leases and retentions end by the machine's clock. If it is set back, they end later by as much; if it is set
/// forward, a lease may end while its work runs, until the next renewal.
///
/// [`Claim::complete_in`](crate::Claim::complete_in) records a completion in a transaction of your own on the same file.
/// Clones share the thread.
///
/// ```
/// use pierre_webhook_dedup::{Dedup, SqliteStore};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), pierre_webhook_dedup::StoreError> {
/// # let directory = std::env::temp_dir();
/// # let path = directory.join(format!("pierre-webhook-dedup-doc-{}.db", std::process::id()));
/// let dedup = Dedup::new(SqliteStore::open(&path).await?);
/// # drop(dedup);
/// # for end in ["", "-wal", "-shm"] {
/// #     let _ = std::fs::remove_file(format!("{}{end}", path.display()));
/// # }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SqliteStore {
    thread: Arc<DatabaseThread>,
    /// How many claims were asked for.
    claims: Arc<AtomicU32>,
}

impl SqliteStore {
    /// Opens or creates the file, and brings its table up to date.
    ///
    /// # Errors
    ///
    /// Returns an error if the file can't be opened or created, isn't a database, is locked by another process for over
    /// a second, is on a file system without shared memory (WAL needs it), or if a newer version of this crate has
    /// changed the table.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref().to_owned();
        let opened = spawn_blocking(move || {
            let connection = open(&path)
                .map_err(|why| StoreError::new(format!("cannot use {}: {why}", path.display())))?;
            DatabaseThread::start(connection)
        });
        let thread = Arc::new(opened.await.map_err(StoreError::new)??);
        Ok(Self { thread, claims: Arc::default() })
    }
}

fn open(path: &Path) -> Result<Connection, Box<dyn std::error::Error + Send + Sync>> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(format!("SQLite has no WAL here, but {mode}").into());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(sql::CREATE_VERSION)?;
    let version: Option<u32> = transaction.query_row(sql::SELECT_VERSION, [], |row| row.get(0))?;
    let (version, newest) = (version.unwrap_or(0), u32::try_from(sql::MIGRATIONS.len())?);
    if version > newest {
        let text = format!("its schema has version {version}, which this crate doesn't know");
        return Err(text.into());
    }
    for step in sql::MIGRATIONS.iter().skip(usize::try_from(version)?) {
        transaction.execute_batch(step)?;
    }
    if version < newest {
        transaction.execute(sql::WRITE_VERSION, [newest])?;
    }
    transaction.commit()?;
    Ok(connection)
}

impl From<Key<'_>> for RecordKey {
    fn from(key: Key<'_>) -> Self {
        Self { scope: key.scope.to_owned(), id: key.id }
    }
}

impl Store for SqliteStore {
    fn claim<'a>(
        &'a self,
        key: Key<'a>,
        owner: Owner,
        lease: Duration,
    ) -> StoreFuture<'a, Claimed> {
        let key = RecordKey::from(key);
        let claims = self.claims.fetch_add(1, Ordering::Relaxed);
        let sweeps = claims.is_multiple_of(records::CLAIMS_PER_SWEEP);
        self.thread.call(Durability::Process, move |transaction| {
            if sweeps {
                records::sweep(transaction)?;
            }
            records::claim(transaction, &key, owner, lease)
        })
    }

    fn renew<'a>(&'a self, key: Key<'a>, owner: Owner, lease: Duration) -> StoreFuture<'a, bool> {
        let key = RecordKey::from(key);
        self.thread.call(Durability::Process, move |transaction| {
            let claimed = records::claim(transaction, &key, owner, lease)?;
            Ok(matches!(claimed, Claimed::Yours { .. }))
        })
    }

    fn complete<'a>(
        &'a self,
        key: Key<'a>,
        owner: Owner,
        retention: Duration,
    ) -> StoreFuture<'a, bool> {
        let key = RecordKey::from(key);
        self.thread.call(Durability::Disk, move |transaction| {
            records::complete(transaction, &key, owner, retention)
        })
    }

    fn release<'a>(&'a self, key: Key<'a>, owner: Owner) -> StoreFuture<'a, ()> {
        let key = RecordKey::from(key);
        self.thread.call(Durability::Process, move |transaction| {
            records::release(transaction, &key, owner)
        })
    }

    fn forget<'a>(&'a self, key: Key<'a>) -> StoreFuture<'a, bool> {
        let key = RecordKey::from(key);
        self.thread.call(Durability::Disk, move |transaction| records::forget(transaction, &key))
    }

    fn abandon(&self, key: Key<'_>, owner: Owner) {
        let key = RecordKey::from(key);
        self.thread.send(Durability::Process, move |transaction| {
            records::release(transaction, &key, owner)
        });
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}
