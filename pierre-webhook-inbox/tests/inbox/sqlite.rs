//! What is special about SQLite: transactions of one's own, and what can go wrong with a file.

use std::{path::Path, time::Duration};

use pierre_webhook_core::Delivery;
use pierre_webhook_inbox::{Inbox, Inserted, Job, State, Worker, rusqlite::Connection};

use crate::{
    database::{Database, Folder},
    delivery::{ping, push},
    eventually::eventually,
    small_disk::{SmallDisk, fill_and_grow},
    working::{Runs, Working},
};

const LONG: Duration = Duration::from_secs(3600);

fn folder_with_a_counter() -> Folder {
    let folder = Folder::new();
    let counter = "CREATE TABLE counter (n INTEGER NOT NULL); INSERT INTO counter VALUES (0)";
    folder.connect().execute_batch(counter).unwrap();
    folder
}

fn count(folder: &Folder) -> i64 {
    folder.connect().query_row("SELECT n FROM counter", [], |row| row.get(0)).unwrap()
}

async fn until_done(inbox: &Inbox, delivery: &Delivery) {
    eventually("it is done", async || {
        let (entry, _) = inbox.find(delivery.id()).await.unwrap().remove(0);
        (entry.state == State::Done).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_delivery_is_stored_with_the_writes_beside_it_or_not_at_all() {
    let folder = folder_with_a_counter();
    let inbox = Inbox::sqlite(folder.file()).await.unwrap();
    let delivery = ping();
    let mut connection = folder.connect();
    for (commits, expected) in
        [(false, Inserted::New), (true, Inserted::New), (false, Inserted::Known)]
    {
        let transaction = connection.transaction().unwrap();
        assert_eq!(inbox.insert_in(&transaction, &delivery).unwrap(), expected);
        transaction.execute("UPDATE counter SET n = n + 1", []).unwrap();
        if commits {
            transaction.commit().unwrap();
        }
    }
    assert_eq!(count(&folder), 1);
    assert_eq!(inbox.stats().await.unwrap().ready, 1);
}

/// Counts in the transaction that completes the job, unless another attempt took over. Returns whether it did.
fn count_once(folder: &Folder, job: &Job) -> bool {
    let mut connection = folder.connect();
    let transaction = connection.transaction().unwrap();
    transaction.execute("UPDATE counter SET n = n + 1", []).unwrap();
    let is_completed = job.complete_in(&transaction).unwrap();
    if is_completed {
        transaction.commit().unwrap();
    }
    is_completed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn effects_take_place_once_although_an_attempt_was_taken_over() {
    let database = Database::Sqlite(folder_with_a_counter());
    let Database::Sqlite(folder) = &database else { unreachable!() };
    let inbox = database.inbox().await;
    let delivery = ping();
    inbox.insert(&delivery).await.unwrap();
    // It pauses, and its process renews no lease.
    let runs = Runs::default();
    let paused = {
        let runs = runs.clone();
        Worker::new(inbox.clone(), move |job: Job| {
            runs.add(&job);
            std::future::pending::<Result<(), String>>()
        })
    };
    let paused = Working::start(paused);
    eventually("the first attempt", async || (runs.len() == 1).then_some(())).await;
    paused.kill().await;
    let first = runs.all().remove(0);

    database.pass(LONG);
    let second = {
        let runs = runs.clone();
        Worker::new(inbox.clone(), move |job: Job| {
            runs.add(&job);
            std::future::pending::<Result<(), String>>()
        })
    };
    let second = Working::start(second);
    eventually("the second attempt", async || (runs.len() == 2).then_some(())).await;
    let taken_over = runs.all().remove(1);
    assert!(!count_once(folder, &first), "the second attempt has it");
    assert_eq!(count(folder), 0);
    assert!(count_once(folder, &taken_over));
    assert!(!count_once(folder, &taken_over), "it is completed");
    assert_eq!(count(folder), 1);
    second.kill().await;
    until_done(&inbox, &delivery).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_completed_delivery_is_not_run_again_whatever_the_handler_returns() {
    let folder = folder_with_a_counter();
    let inbox = Inbox::sqlite(folder.file()).await.unwrap();
    let deliveries = [push("a"), push("a"), push("a")];
    for delivery in &deliveries {
        inbox.insert(delivery).await.unwrap();
    }
    let path = folder.file();
    let worker = Worker::new(inbox.clone(), move |job: Job| {
        let path = path.clone();
        async move {
            let work = move || {
                let mut connection = Connection::open(path)?;
                connection.busy_timeout(Duration::from_secs(5))?;
                let transaction = connection.transaction()?;
                transaction.execute("UPDATE counter SET n = n + 1", [])?;
                assert!(job.complete_in(&transaction).unwrap());
                transaction.commit()
            };
            tokio::task::spawn_blocking(work).await.unwrap().map_err(|error| error.to_string())?;
            Err("after the commit".to_owned())
        }
    });
    let worker = worker.ordered_by_repository().poll_interval(LONG);
    let working = Working::start(worker);
    // `complete_in` wakes the next one: the worker doesn't poll.
    for delivery in &deliveries {
        until_done(&inbox, delivery).await;
    }
    working.stop().await;
    assert_eq!(count(&folder), 3);
    let (entry, _) = inbox.find(deliveries[0].id()).await.unwrap().remove(0);
    assert_eq!((entry.attempt, entry.error), (1, None));
}

#[tokio::test]
async fn a_write_waits_for_the_lock_of_another_process() {
    let folder = Folder::new();
    let inbox = Inbox::sqlite(folder.file()).await.unwrap();
    let other = folder.connect();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let delivery = ping();
    let mut insert = std::pin::pin!(inbox.insert(&delivery));
    assert!(futures_poll(insert.as_mut()).await.is_none());
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(insert.await.unwrap(), Inserted::New);
}

/// Polls once.
async fn futures_poll<F: Future>(mut future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    std::future::poll_fn(|cx| {
        std::task::Poll::Ready(match future.as_mut().poll(cx) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[tokio::test]
async fn a_database_that_refuses_writes_is_an_error_until_it_accepts_them() {
    let folder = Folder::new();
    let inbox = Inbox::sqlite(folder.file()).await.unwrap();
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON pierre_delivery
                  BEGIN SELECT RAISE(ABORT, 'not now'); END";
    folder.connect().execute_batch(refuse).unwrap();
    let delivery = ping();
    let error = inbox.insert(&delivery).await.unwrap_err();
    assert!(error.to_string().contains("not now"), "{error}");
    assert_eq!(inbox.stats().await.unwrap().ready, 0, "it can still be read");
    folder.connect().execute_batch("DROP TRIGGER refuse").unwrap();
    assert_eq!(inbox.insert(&delivery).await.unwrap(), Inserted::New);
}

/// One that fails doesn't take along those that are committed with it.
#[tokio::test]
async fn a_write_that_fails_does_not_undo_those_beside_it() {
    let folder = Folder::new();
    let inbox = Inbox::sqlite(folder.file()).await.unwrap();
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON pierre_delivery WHEN new.lane = 'no'
                  BEGIN SELECT RAISE(ABORT, 'not this one'); END";
    folder.connect().execute_batch(refuse).unwrap();
    // While another holds the lock, they queue up.
    let other = folder.connect();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let deliveries = [push("yes"), push("no"), push("yes"), push("no"), push("yes")];
    let [a, b, c, d, e] = deliveries.each_ref().map(|delivery| inbox.insert(delivery));
    let inserts = async { tokio::join!(a, b, c, d, e) };
    let mut inserts = std::pin::pin!(inserts);
    // The first of them asks for the bound.
    for _ in 0..100 {
        assert!(futures_poll(inserts.as_mut()).await.is_none());
        tokio::task::yield_now().await;
    }
    other.execute_batch("COMMIT").unwrap();
    let (a, b, c, d, e) = inserts.await;
    assert!(a.is_ok() && c.is_ok() && e.is_ok());
    assert!(b.is_err() && d.is_err());
    assert_eq!(inbox.stats().await.unwrap().ready, 3);
}

#[tokio::test]
async fn a_full_disk_is_an_error_until_there_is_room() {
    let folder = Folder::new();
    let Some(disk) = SmallDisk::mount(folder.path().clone()) else { return };
    let inbox = Inbox::sqlite(folder.file()).await.unwrap();
    fill_and_grow(&inbox, &disk, "full").await;
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_not_touched() {
    let folder = Folder::new();
    drop(Inbox::sqlite(folder.file()).await.unwrap());
    folder.connect().execute("INSERT INTO pierre_delivery_schema VALUES (1000)", []).unwrap();
    let error = Inbox::sqlite(folder.file()).await.unwrap_err();
    let text = "the database failed: its schema has version 1000, which this crate doesn't know";
    assert_eq!(error.to_string(), text);
}

#[tokio::test]
async fn a_database_in_memory_is_rejected_since_nothing_would_be_durable() {
    let error = Inbox::sqlite(":memory:").await.unwrap_err();
    assert_eq!(error.to_string(), "the database failed: SQLite has no WAL here, but memory");
}

#[tokio::test]
async fn a_commit_reaches_the_disk_before_it_is_answered() {
    let folder = Folder::new();
    let inbox = Inbox::sqlite(folder.file()).await.unwrap();
    inbox.insert(&ping()).await.unwrap();
    let wal = std::fs::metadata(folder.path().join("webhooks.db-wal")).unwrap();
    assert!(wal.len() > 0, "it is written, and not held back in this process");
    let mode: String =
        folder.connect().query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

/// A process that is suspended is like a thread that is blocked: here by the first run, until another worker has done
/// everything. By then the second delivery of the batch must not start.
#[tokio::test]
async fn a_run_does_not_start_once_its_lease_was_taken_over() {
    let folder = Folder::new();
    let inbox = Inbox::sqlite(folder.file()).await.unwrap();
    for delivery in [ping(), ping()] {
        inbox.insert(&delivery).await.unwrap();
    }
    let runs = Runs::default();
    let file = folder.file();
    let seen = runs.clone();
    let blocking = move |job: Job| {
        seen.add(&job);
        let (file, seen) = (file.clone(), seen.clone());
        std::thread::spawn(move || work_off(&file, &seen)).join().unwrap();
        async { Ok::<_, String>(()) }
    };
    let worker = Worker::new(inbox.clone(), blocking).lease(Duration::from_millis(50));
    let working = Working::start(worker);
    eventually("both runs of the other worker", async || (runs.len() >= 3).then_some(())).await;
    working.stop().await;
    let mut attempts: Vec<_> = runs.all().iter().map(Job::attempt).collect();
    attempts.sort_unstable();
    assert_eq!(attempts, [1, 2, 2]);
}

/// Blocks until another worker has done everything.
fn work_off(file: &Path, runs: &Runs) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let inbox = Inbox::sqlite(file).await.unwrap();
        let runs = runs.clone();
        let handler = move |job: Job| {
            runs.add(&job);
            async { Ok::<_, String>(()) }
        };
        let worker = Worker::new(inbox.clone(), handler).poll_interval(Duration::from_millis(5));
        let working = Working::start(worker);
        eventually("nothing waits or runs", async || {
            let stats = inbox.stats().await.unwrap();
            (stats.ready + stats.running == 0).then_some(())
        })
        .await;
        working.stop().await;
    });
}
