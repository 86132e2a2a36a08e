//! `SqliteStore`: several handles on a file, restarts, a disk that is full, locked or read-only.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use pierre_webhook_dedup::{
    Begun, Claimed, Dedup, LeaseHandle, MemoryStore, Once, OnceError, Recorded, SqliteStore, Store,
    store_contract,
};
use rusqlite::{Connection, TransactionBehavior};
use tokio::time::{Instant, sleep};

use crate::unique::{LONG, heals, id, is_yours, key, one_wins_each_round, owner};

/// An operation takes at most 2 seconds; the rest is slack for a busy machine.
const BOUND: Duration = Duration::from_secs(4);

/// A path that no other test uses, removed at the end.
struct File(PathBuf);

impl File {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("pierre-webhook-dedup-{}-{number}.db", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn connect(&self) -> Connection {
        Connection::open(&self.0).unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        for end in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{end}", self.0.display()));
        }
    }
}

async fn open(path: impl AsRef<Path>) -> SqliteStore {
    SqliteStore::open(path).await.unwrap()
}

store_contract!(|check| {
    let file = File::new();
    check(&open(&file.0).await).await
});

#[tokio::test]
async fn of_claims_through_eight_handles_one_wins_each_round() {
    let file = File::new();
    let mut stores = Vec::new();
    for _ in 0..8 {
        stores.push(open(&file.0).await);
    }
    one_wins_each_round(&stores, 50).await;
}

#[tokio::test]
async fn a_restart_forgets_neither_completions_nor_leases() {
    let file = File::new();
    let (done, held, token) = (key(), key(), {
        let store = open(&file.0).await;
        store.claim(key(), owner(), LONG).await.unwrap()
    });
    {
        let store = open(&file.0).await;
        assert!(store.complete(done, owner(), LONG).await.unwrap());
        assert!(is_yours(&store.claim(held, owner(), LONG).await.unwrap()));
    }
    let store = open(&file.0).await;
    assert_eq!(store.claim(done, owner(), LONG).await.unwrap(), Claimed::Completed);
    assert!(matches!(store.claim(held, owner(), LONG).await.unwrap(), Claimed::InProgress { .. }));
    let Claimed::Yours { fencing_token: first } = token else { panic!("{token:?}") };
    let Claimed::Yours { fencing_token } = store.claim(key(), owner(), LONG).await.unwrap() else {
        panic!("not claimed")
    };
    assert!(fencing_token > first + 1, "tokens go on growing");
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_an_error_that_names_it() {
    let directory = std::env::temp_dir();
    let error = SqliteStore::open(&directory).await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot use {}: ", directory.display())), "{error}");
    SqliteStore::open("/does/not/exist/dedup.db").await.unwrap_err();
    let file = File::new();
    fs::write(&file.0, "This is no database, but a text that is long enough to be taken for one.")
        .unwrap();
    let error = SqliteStore::open(&file.0).await.unwrap_err().to_string();
    assert!(error.contains("file is not a database"), "{error}");
}

#[tokio::test]
async fn the_table_of_a_newer_version_is_not_touched() {
    let file = File::new();
    drop(open(&file.0).await);
    file.connect().execute("INSERT INTO pierre_dedup_schema VALUES (99)", []).unwrap();
    let error = SqliteStore::open(&file.0).await.unwrap_err().to_string();
    assert!(error.ends_with("its schema has version 99, which this crate doesn't know"), "{error}");
}

#[tokio::test]
async fn a_lock_of_another_process_fails_within_its_time_and_heals() {
    let file = File::new();
    let store = open(&file.0).await;
    let mut other = file.connect();
    let lock = other.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
    let start = Instant::now();
    let error = store.claim(key(), owner(), LONG).await.unwrap_err().to_string();
    assert!(error.contains("locked") || error.contains("no answer"), "{error}");
    assert!(start.elapsed() < BOUND, "{:?}", start.elapsed());
    drop(lock);
    heals(&store).await;
}

#[tokio::test]
async fn a_full_disk_fails_and_loses_nothing() {
    let file = File::new();
    let Some(limited) = Limited::mount(&file) else { return };
    let store = open(limited.path()).await;
    let mut kept = Vec::new();
    let error = loop {
        let key = key();
        match store.complete(key, owner(), LONG).await {
            Ok(_) => kept.push(key),
            Err(error) => break error.to_string(),
        }
        assert!(kept.len() < 100_000, "the disk is never full");
    };
    assert!(error.contains("full"), "{error}");
    limited.make_room();
    heals(&store).await;
    for key in kept {
        assert_eq!(store.claim(key, owner(), LONG).await.unwrap(), Claimed::Completed);
    }
}

/// A small file system in memory, for root on Linux.
struct Limited(PathBuf);

impl Limited {
    fn mount(file: &File) -> Option<Self> {
        let directory = file.0.with_extension("disk");
        fs::create_dir_all(&directory).unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
            .arg(&directory)
            .stderr(std::process::Stdio::null())
            .status();
        if !mounted.is_ok_and(|status| status.success()) {
            let _ = fs::remove_dir(&directory);
            eprintln!("SKIPPED: a small file system can't be mounted");
            return None;
        }
        fs::write(directory.join("other"), vec![0; 300_000]).unwrap();
        Some(Self(directory))
    }

    fn path(&self) -> PathBuf {
        self.0.join("dedup.db")
    }

    fn make_room(&self) {
        fs::remove_file(self.0.join("other")).unwrap();
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
        let _ = fs::remove_dir(&self.0);
    }
}

#[tokio::test]
async fn a_table_that_is_missing_fails_and_heals() {
    let file = File::new();
    let store = open(&file.0).await;
    file.connect().execute_batch("ALTER TABLE pierre_dedup RENAME TO gone").unwrap();
    let error = store.claim(key(), owner(), LONG).await.unwrap_err().to_string();
    assert!(error.contains("no such table"), "{error}");
    file.connect().execute_batch("ALTER TABLE gone RENAME TO pierre_dedup").unwrap();
    heals(&store).await;
}

#[tokio::test]
async fn records_that_have_ended_are_deleted_as_deliveries_arrive() {
    let file = File::new();
    let store = open(&file.0).await;
    for _ in 0..100 {
        assert!(store.complete(key(), owner(), Duration::from_millis(10)).await.unwrap());
    }
    sleep(Duration::from_millis(50)).await;
    for _ in 0..60 {
        assert!(is_yours(&store.claim(key(), owner(), LONG).await.unwrap()));
    }
    let left: i64 = file
        .connect()
        .query_row("SELECT count(*) FROM pierre_dedup WHERE is_completed", [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 0);
}

/// Counts its own run in the transaction that completes the delivery.
fn count(file: &File, lease: &LeaseHandle, commits: bool) -> Result<(), &'static str> {
    let mut connection = file.connect();
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
    transaction.execute("UPDATE counter SET n = n + 1", []).unwrap();
    if !lease.complete_in(&transaction).unwrap() || !commits {
        return Err("rolled back");
    }
    transaction.commit().unwrap();
    Ok(())
}

#[tokio::test]
async fn the_record_commits_with_the_writes_of_the_work_or_not_at_all() {
    let file = File::new();
    let dedup = Dedup::new(open(&file.0).await);
    file.connect()
        .execute_batch("CREATE TABLE counter (n); INSERT INTO counter VALUES (0)")
        .unwrap();
    let n = || {
        let count = "SELECT n FROM counter";
        file.connect().query_row(count, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    let id = id();
    let rolled_back = dedup.once_with(id, async |lease| count(&file, &lease, false)).await;
    assert!(matches!(rolled_back, Err(OnceError::Work("rolled back"))), "{rolled_back:?}");
    assert_eq!(n(), 0);
    let ran = dedup.once_with(id, async |lease| count(&file, &lease, true)).await;
    assert_eq!(ran.unwrap(), Once::Ran { value: (), recorded: Recorded::Yes });
    assert_eq!(n(), 1);
    let again = dedup.once_with(id, async |lease| count(&file, &lease, true)).await;
    assert_eq!(again.unwrap(), Once::Completed);

    let other = Dedup::new(MemoryStore::new());
    let Begun::Claimed(claim) = other.begin(crate::unique::id()).await.unwrap() else {
        panic!("not claimed")
    };
    assert_eq!(count(&file, &claim.handle(), true), Err("rolled back"), "it is claimed elsewhere");
    assert_eq!(n(), 1);
}
