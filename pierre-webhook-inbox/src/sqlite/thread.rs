//! A thread with a connection, so that no runtime waits for the disk.

use std::{
    sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    thread,
};

use rusqlite::Connection;
use tokio::{sync::oneshot, time::timeout};

use crate::{
    error::InboxError,
    store::{OPERATION_TIMEOUT, StoreFuture},
};

/// How many operations may wait. More fail at once.
const QUEUE: usize = 4096;

/// How many operations share a transaction, and so one write to the disk.
const SHARED: usize = 128;

/// Executes operations one after the other. Those that wait together are committed together; each is answered after
/// the commit. The thread ends once this value is dropped.
pub(super) struct DatabaseThread {
    operations: SyncSender<Box<dyn Operation>>,
}

impl DatabaseThread {
    /// `begin` begins its transactions, and `after_commit` is called after each.
    pub(super) fn start(
        name: &str,
        connection: Connection,
        begin: &'static str,
        after_commit: impl Fn() + Send + 'static,
    ) -> Result<Self, InboxError> {
        let (operations, queue) = sync_channel(QUEUE);
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || run(&connection, begin, after_commit, &queue))
            .map_err(InboxError::database)?;
        Ok(Self { operations })
    }

    pub(super) fn call<T, F>(&self, work: F) -> StoreFuture<'_, T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        Box::pin(async {
            let (answer, answered) = oneshot::channel();
            let call = Box::new(Call { work: Some(work), result: None, answer });
            self.operations.try_send(call).map_err(|error| match error {
                TrySendError::Full(_) => InboxError::busy(),
                TrySendError::Disconnected(_) => InboxError::database("its thread has ended"),
            })?;
            match timeout(OPERATION_TIMEOUT, answered).await {
                Ok(Ok(result)) => result,
                Ok(Err(_)) => Err(InboxError::database("its thread has ended")),
                Err(_) => Err(InboxError::timed_out()),
            }
        })
    }
}

trait Operation: Send {
    /// Returns whether anybody still waits for it.
    fn is_wanted(&self) -> bool;

    /// Executes it. An error says that its writes must be rolled back.
    fn execute(&mut self, connection: &Connection) -> Result<(), RollBack>;

    fn answer(self: Box<Self>, committed: Result<(), InboxError>);
}

struct RollBack;

struct Call<T, F> {
    work: Option<F>,
    result: Option<rusqlite::Result<T>>,
    answer: oneshot::Sender<Result<T, InboxError>>,
}

impl<T, F> Operation for Call<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send,
{
    fn is_wanted(&self) -> bool {
        !self.answer.is_closed()
    }

    fn execute(&mut self, connection: &Connection) -> Result<(), RollBack> {
        let result = self.work.take().map(|work| work(connection));
        let is_ok = matches!(result, Some(Ok(_)));
        self.result = result;
        if is_ok { Ok(()) } else { Err(RollBack) }
    }

    fn answer(self: Box<Self>, committed: Result<(), InboxError>) {
        let result = match (self.result, committed) {
            (Some(Err(error)), _) => Err(error.into()),
            (_, Err(error)) => Err(error),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (None, Ok(())) => Err(InboxError::busy()),
        };
        // A caller that was cancelled has no use for it.
        let _ = self.answer.send(result);
    }
}

fn run(
    connection: &Connection,
    begin: &str,
    after_commit: impl Fn(),
    queue: &Receiver<Box<dyn Operation>>,
) {
    while let Ok(first) = queue.recv() {
        let mut together = vec![first];
        together.extend(queue.try_iter().take(SHARED.saturating_sub(1)));
        together.retain(|operation| operation.is_wanted());
        let committed = commit(connection, begin, &mut together).map_err(InboxError::from);
        let is_committed = committed.is_ok();
        for operation in together {
            operation.answer(committed.clone());
        }
        if is_committed {
            after_commit();
        }
    }
}

fn commit(
    connection: &Connection,
    begin: &str,
    together: &mut [Box<dyn Operation>],
) -> rusqlite::Result<()> {
    // After a failure of the disk a transaction may still be open.
    if !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    if together.is_empty() {
        return Ok(());
    }
    connection.prepare_cached(begin)?.execute([])?;
    let result = execute_each(connection, together)
        .and_then(|()| connection.prepare_cached("COMMIT")?.execute([]).map(drop));
    if result.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    result
}

fn execute_each(
    connection: &Connection,
    together: &mut [Box<dyn Operation>],
) -> rusqlite::Result<()> {
    for operation in together {
        connection.prepare_cached("SAVEPOINT one")?.execute([])?;
        if operation.execute(connection).is_err() {
            // Fails if the whole transaction was rolled back, as on a full disk. Then the others fail too.
            connection.prepare_cached("ROLLBACK TO one")?.execute([])?;
        }
        connection.prepare_cached("RELEASE one")?.execute([])?;
    }
    Ok(())
}
