//! What is special about PostgreSQL: transactions of one's own, several machines, and what can go wrong with a server.

use std::time::{Duration, Instant};

use pierre_webhook_core::Delivery;
use pierre_webhook_inbox::{
    Inbox, Inserted, Job, State, Worker,
    deadpool_postgres::{Manager, Pool, Runtime},
    tokio_postgres::{Config, NoTls},
};
use pierre_webhook_tests::postgres_server::PostgresServer;

use crate::{
    database::{Database, Folder, pool},
    delivery::{ping, push},
    eventually::eventually,
    small_disk::{SmallDisk, fill_and_grow},
    working::{Runs, Working},
};

const LONG: Duration = Duration::from_secs(3600);

async fn until_done(inbox: &Inbox, delivery: &Delivery) {
    eventually("it is done", async || {
        let (entry, _) = inbox.find(delivery.id()).await.ok()?.pop()?;
        (entry.state == State::Done).then_some(())
    })
    .await;
}

fn recording(
    inbox: &Inbox,
    runs: &Runs,
) -> Worker<impl Fn(Job) -> std::future::Ready<Result<(), String>> + Send + Sync + 'static> {
    let runs = runs.clone();
    Worker::new(inbox.clone(), move |job: Job| {
        runs.add(&job);
        std::future::ready(Ok(()))
    })
}

const COUNTER: &str = "CREATE TABLE counter (n bigint NOT NULL); INSERT INTO counter VALUES (0)";
const COUNT: &str = "UPDATE counter SET n = n + 1";

#[tokio::test]
async fn a_delivery_is_stored_with_the_writes_beside_it_or_not_at_all() {
    let Some(database) = Database::postgres() else { return };
    database.execute(COUNTER);
    let Database::Postgres { pool, .. } = &database else { unreachable!() };
    let inbox = database.inbox().await;
    let delivery = ping();
    for (commits, expected) in
        [(false, Inserted::New), (true, Inserted::New), (false, Inserted::Known)]
    {
        let mut client = pool.get().await.unwrap();
        let transaction = client.transaction().await.unwrap();
        assert_eq!(inbox.insert_in(&transaction, &delivery).await.unwrap(), expected);
        transaction.execute(COUNT, &[]).await.unwrap();
        if commits {
            transaction.commit().await.unwrap();
        }
    }
    assert_eq!(database.number("SELECT n FROM counter"), 1);
    assert_eq!(inbox.stats().await.unwrap().ready, 1);
}

async fn count_once(pool: &Pool, job: &Job) -> bool {
    let mut client = pool.get().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    transaction.execute(COUNT, &[]).await.unwrap();
    let is_completed = job.complete_in(&transaction).await.unwrap();
    if is_completed {
        transaction.commit().await.unwrap();
    }
    is_completed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn effects_take_place_once_although_an_attempt_was_taken_over() {
    let Some(database) = Database::postgres() else { return };
    database.execute(COUNTER);
    let Database::Postgres { pool, .. } = &database else { unreachable!() };
    let inbox = database.inbox().await;
    inbox.insert(&ping()).await.unwrap();
    let runs = Runs::default();
    for attempt in 1..=2 {
        // It pauses, and its process renews no lease.
        let handler_runs = runs.clone();
        let paused = Worker::new(inbox.clone(), move |job: Job| {
            handler_runs.add(&job);
            std::future::pending::<Result<(), String>>()
        });
        let paused = Working::start(paused);
        eventually("the attempt", async || (runs.len() == attempt).then_some(())).await;
        paused.kill().await;
        database.pass(LONG);
    }
    let jobs = runs.all();
    assert!(!count_once(pool, &jobs[0]).await, "the second attempt has it");
    // Both at once: the row is locked until the first one commits.
    let (one, other) = tokio::join!(count_once(pool, &jobs[1]), count_once(pool, &jobs[1]));
    assert!(one ^ other, "it is completed once");
    assert_eq!(database.number("SELECT n FROM counter"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_completed_delivery_is_not_run_again_whatever_the_handler_returns() {
    let Some(database) = Database::postgres() else { return };
    database.execute(COUNTER);
    let Database::Postgres { pool, .. } = &database else { unreachable!() };
    let inbox = database.inbox().await;
    let deliveries = [push("a"), push("a"), push("a")];
    for delivery in &deliveries {
        inbox.insert(delivery).await.unwrap();
    }
    let handler_pool = pool.clone();
    let worker = Worker::new(inbox.clone(), move |job: Job| {
        let pool = handler_pool.clone();
        async move {
            assert!(count_once(&pool, &job).await);
            Err("after the commit")
        }
    });
    let working = Working::start(worker.ordered_by_repository());
    for delivery in &deliveries {
        until_done(&inbox, delivery).await;
    }
    working.stop().await;
    assert_eq!(database.number("SELECT n FROM counter"), 3);
    assert_eq!(database.number("SELECT max(attempt) FROM pierre_delivery"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_in_another_process_is_woken_by_what_is_stored() {
    let Some(database) = Database::postgres() else { return };
    let Database::Postgres { server, name, pool } = &database else { unreachable!() };
    let config: Config = server.url(name).parse().unwrap();
    let listening = database.inbox().await.scope("a").listen(config, NoTls);
    let runs = Runs::default();
    let working = Working::start(recording(&listening, &runs).poll_interval(LONG));
    let inbox = database.inbox().await.scope("a");

    let mut deliveries = [ping(), ping(), ping()].into_iter();
    let first = deliveries.next().unwrap();
    inbox.insert(&first).await.unwrap();
    until_done(&inbox, &first).await;

    let in_transaction = deliveries.next().unwrap();
    let mut client = pool.get().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    inbox.insert_in(&transaction, &in_transaction).await.unwrap();
    transaction.commit().await.unwrap();
    until_done(&inbox, &in_transaction).await;

    // Its connection is lost, and made again.
    database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    let last = deliveries.next().unwrap();
    eventually("it is stored", async || inbox.insert(&last).await.ok()).await;
    until_done(&inbox, &last).await;
    working.stop().await;
    assert_eq!(runs.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inboxes_that_are_opened_at_the_same_time_migrate_once() {
    let Some(database) = Database::postgres() else { return };
    let inboxes: Vec<_> = (0..8)
        .map(|_| {
            let Database::Postgres { pool, .. } = &database else { unreachable!() };
            tokio::spawn(Inbox::postgres(pool.clone()))
        })
        .collect();
    for inbox in inboxes {
        inbox.await.unwrap().unwrap();
    }
    assert_eq!(database.number("SELECT count(*) FROM pierre_delivery_schema"), 1);
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_not_touched() {
    let Some(database) = Database::postgres() else { return };
    let _ = database.inbox().await;
    database.execute("INSERT INTO pierre_delivery_schema VALUES (1000)");
    let Database::Postgres { pool, .. } = &database else { unreachable!() };
    let error = Inbox::postgres(pool.clone()).await.unwrap_err();
    let text = "the database failed: its schema has version 1000, which this crate doesn't know";
    assert_eq!(error.to_string(), text);
}

#[tokio::test]
async fn a_role_that_may_not_create_tables_uses_those_that_exist() {
    let Some(database) = Database::postgres() else { return };
    let Database::Postgres { server, name, .. } = &database else { unreachable!() };
    let _ = database.inbox().await;
    let role = format!("role_{name}");
    database.execute(&format!(
        "CREATE ROLE {role} LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC;
         GRANT SELECT ON pierre_delivery_schema TO {role};
         GRANT SELECT, INSERT, UPDATE, DELETE ON pierre_delivery TO {role}"
    ));
    let url = server.url(name).replace("postgres@", &format!("{role}@"));
    let inbox = Inbox::postgres(pool(&url, 2)).await.unwrap();
    assert_eq!(inbox.insert(&ping()).await.unwrap(), Inserted::New);
}

#[tokio::test]
async fn a_starved_pool_is_an_error_until_a_connection_is_free() {
    let Some(database) = Database::postgres() else { return };
    let Database::Postgres { server, name, .. } = &database else { unreachable!() };
    let manager = Manager::new(server.url(name).parse().unwrap(), NoTls);
    let pool = Pool::builder(manager)
        .max_size(1)
        .wait_timeout(Some(Duration::from_millis(20)))
        .runtime(Runtime::Tokio1)
        .build()
        .unwrap();
    let inbox = Inbox::postgres(pool.clone()).await.unwrap();
    let held = pool.get().await.unwrap();
    let delivery = ping();
    let error = inbox.insert(&delivery).await.unwrap_err();
    assert!(error.to_string().contains("waiting for a slot"), "{error}");
    drop(held);
    assert_eq!(inbox.insert(&delivery).await.unwrap(), Inserted::New);
}

#[tokio::test]
async fn a_read_only_database_is_an_error_until_it_accepts_writes() {
    let Some(database) = Database::postgres() else { return };
    let Database::Postgres { name, .. } = &database else { unreachable!() };
    let inbox = database.inbox().await;
    let set = |value| {
        database
            .execute(&format!("ALTER DATABASE {name} SET default_transaction_read_only = {value}"));
        database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
    };
    let delivery = ping();
    set("on");
    eventually("it is read-only", async || {
        let error = inbox.insert(&delivery).await.unwrap_err();
        error.to_string().contains("read-only transaction").then_some(())
    })
    .await;
    // This session is read-only too.
    let Database::Postgres { server, name, .. } = &database else { unreachable!() };
    server
        .execute("postgres", &format!("ALTER DATABASE {name} RESET default_transaction_read_only"));
    server.execute(
        "postgres",
        &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"),
    );
    eventually("it accepts writes", async || inbox.insert(&delivery).await.ok()).await;
}

#[tokio::test]
async fn a_full_disk_is_an_error_until_there_is_room() {
    let folder = Folder::new();
    let Some(disk) = SmallDisk::mount(folder.path().clone()) else { return };
    // Of its own, since it can't go on once the disk is gone.
    let Some(server) = PostgresServer::start() else { return };
    server.give(folder.path());
    let inbox = Inbox::postgres(pool(&server.url("postgres"), 1)).await.unwrap();
    let space = format!("CREATE TABLESPACE small LOCATION '{}'", folder.path().display());
    server.execute("postgres", &space);
    server.execute(
        "postgres",
        "ALTER TABLE pierre_delivery SET TABLESPACE small, ALTER body SET STORAGE EXTERNAL",
    );
    fill_and_grow(&inbox, &disk, "No space left on device").await;
    drop(server);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_crash_of_the_server_nothing_is_lost_and_all_goes_on() {
    let Some(mut server) = PostgresServer::start() else { return };
    let inbox = Inbox::postgres(pool(&server.url("postgres"), 4)).await.unwrap();
    let stored = ping();
    inbox.insert(&stored).await.unwrap();
    server.kill();
    let refused = ping();
    assert!(inbox.insert(&refused).await.is_err());
    // A worker that starts now waits for the database too.
    let runs = Runs::default();
    let working = Working::start(recording(&inbox, &runs).poll_interval(Duration::from_millis(5)));
    server.start_again();
    until_done(&inbox, &stored).await;
    eventually("it is stored", async || inbox.insert(&refused).await.ok()).await;
    until_done(&inbox, &refused).await;
    working.stop().await;
    assert_eq!(runs.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_server_is_an_error_in_time_and_heals() {
    let Some(server) = PostgresServer::start() else { return };
    let inbox = Inbox::postgres(pool(&server.url("postgres"), 4)).await.unwrap();
    inbox.insert(&ping()).await.unwrap();
    server.freeze();
    let delivery = ping();
    let start = Instant::now();
    let error = inbox.insert(&delivery).await.unwrap_err();
    assert_eq!(error.to_string(), "the database did not answer in time");
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    server.thaw();
    // What was on its way may have been stored.
    inbox.insert(&delivery).await.unwrap();
    assert_eq!(inbox.insert(&delivery).await.unwrap(), Inserted::Known);
}
