//! A thread with the connection, so that no runtime waits for the disk.

use std::{
    sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    thread,
    time::Duration,
};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::{sync::oneshot, time::timeout};

use crate::{error::StoreError, store::StoreFuture};

/// An operation waits no longer than this for its answer.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(2);

/// How many operations may wait. More fail at once.
const QUEUE: usize = 4096;

type Operation = Box<dyn FnOnce(&mut Connection) + Send>;

/// Whether the end of a transaction waits for the disk.
#[derive(Clone, Copy)]
pub(super) enum Durability {
    /// The write survives the process, but perhaps not a power cut, which ends the work as well.
    Process,
    /// The write survives a power cut.
    Disk,
}

/// Executes operations one after the other, each in a transaction. The thread ends once this value is dropped.
pub(super) struct DatabaseThread {
    operations: SyncSender<Operation>,
}

impl DatabaseThread {
    pub(super) fn start(mut connection: Connection) -> Result<Self, StoreError> {
        let (operations, queue): (_, Receiver<Operation>) = sync_channel(QUEUE);
        thread::Builder::new()
            .name("pierre-dedup-sqlite".to_owned())
            .spawn(move || {
                while let Ok(operation) = queue.recv() {
                    operation(&mut connection);
                }
            })
            .map_err(StoreError::new)?;
        Ok(Self { operations })
    }

    /// Executes an operation and waits for it.
    pub(super) fn call<'a, T, F>(&self, durability: Durability, work: F) -> StoreFuture<'a, T>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let queued = self.queue(Box::new(move |connection| {
            // A caller that is gone has no use for it.
            if !answer.is_closed() {
                let _ = answer.send(execute(connection, durability, work));
            }
        }));
        Box::pin(async move {
            queued?;
            match timeout(OPERATION_TIMEOUT, answered).await {
                Ok(Ok(result)) => result.map_err(StoreError::new),
                Ok(Err(_)) => Err(StoreError::new("the thread of SQLite has ended")),
                Err(_) => Err(StoreError::new("no answer from SQLite within 2 seconds")),
            }
        })
    }

    /// Executes an operation in the background. If too many wait, it is dropped.
    pub(super) fn send<F>(&self, durability: Durability, work: F)
    where
        F: FnOnce(&Transaction<'_>) -> rusqlite::Result<()> + Send + 'static,
    {
        let _ = self.queue(Box::new(move |connection| {
            let _ = execute(connection, durability, work);
        }));
    }

    fn queue(&self, operation: Operation) -> Result<(), StoreError> {
        self.operations.try_send(operation).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::new("too many operations wait for SQLite"),
            TrySendError::Disconnected(_) => StoreError::new("the thread of SQLite has ended"),
        })
    }
}

fn execute<T>(
    connection: &mut Connection,
    durability: Durability,
    work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let synchronous = match durability {
        Durability::Process => "PRAGMA synchronous = NORMAL",
        Durability::Disk => "PRAGMA synchronous = FULL",
    };
    connection.execute_batch(synchronous)?;
    // Dropping it rolls back.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let result = work(&transaction)?;
    transaction.commit()?;
    Ok(result)
}
