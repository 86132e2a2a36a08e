//! Copies what was committed from the write-ahead log into the database file, so that acknowledgements rarely
//! wait for it.

use std::{
    path::Path,
    sync::mpsc::{SyncSender, sync_channel},
    thread,
    time::Duration,
};

use rusqlite::Connection;

use crate::error::InboxError;

/// How often it is done, at most.
const GAP: Duration = Duration::from_millis(100);

/// At how many pages (16 MB) in the log the writer copies the rest itself, so that it can begin the log anew. Under load
/// this thread never gets to the end of the log: the writer is always ahead.
const MOST_PAGES: u32 = 4_000;

/// A thread with a connection of its own. It ends once this value is dropped.
pub(super) struct Checkpoints {
    committed: SyncSender<()>,
}

impl Checkpoints {
    pub(super) fn start(path: &Path, writer: &Connection) -> Result<Self, InboxError> {
        writer.pragma_update(None, "wal_autocheckpoint", MOST_PAGES)?;
        let connection = Connection::open(path)?;
        let (committed, commits) = sync_channel(1);
        thread::Builder::new()
            .name("pierre-inbox-checkpoint".to_owned())
            .spawn(move || {
                while commits.recv().is_ok() {
                    // If it fails, the log grows, and it is tried again after the next commit.
                    let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
                    thread::sleep(GAP);
                }
            })
            .map_err(InboxError::database)?;
        Ok(Self { committed })
    }

    /// Says that there is something to copy.
    pub(super) fn committed(&self) {
        // If the channel is full, the thread knows already.
        let _ = self.committed.try_send(());
    }
}
