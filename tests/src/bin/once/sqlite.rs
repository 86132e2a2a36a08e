//! A SQLite file that both servers open, and the ways in which it fails.

use std::{env, fs, path::PathBuf, thread, time::Duration};

use pierre_webhook_dedup::rusqlite::{Connection, TransactionBehavior};

use crate::faults::{Cause, Fault, LONGER_THAN_A_LEASE, QUICK, Scene};

pub(crate) const FAULTS: &[Fault] = &[Fault {
    name: "the file locked by another process for 4 s",
    may_cause: &[Cause::Unrecorded],
    strike: lock,
    ..QUICK
}];

pub(crate) struct Sqlite {
    directory: PathBuf,
}

impl Sqlite {
    pub(crate) fn start() -> Self {
        let name = format!("pierre-webhook-once-sqlite-{}", std::process::id());
        let directory = env::temp_dir().join(name);
        fs::create_dir(&directory).expect("a directory");
        Self { directory }
    }

    pub(crate) fn address(&self) -> String {
        self.directory.join("dedup.db").to_str().expect("a path in UTF-8").to_owned()
    }

    fn connect(&self) -> Connection {
        Connection::open(self.address()).expect("the file")
    }

    /// Returns whether somebody holds the write lock, and keeps it.
    pub(crate) fn is_locked(&self) -> bool {
        let mut connection = self.connect();
        connection.busy_timeout(Duration::from_millis(200)).expect("a time limit");
        connection.transaction_with_behavior(TransactionBehavior::Immediate).is_err()
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        // If that fails, the system cleans up.
        fs::remove_dir_all(&self.directory).ok();
    }
}

fn lock(scene: &mut Scene<'_>) {
    scene.sending.wait_for_part(3, 10);
    scene.outage(|scene| {
        let mut connection = scene.store.sqlite().connect();
        connection.busy_timeout(LONGER_THAN_A_LEASE).expect("a time limit");
        let lock = connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let lock = lock.expect("the lock");
        thread::sleep(LONGER_THAN_A_LEASE);
        drop(lock);
    });
}
