//! `PostgresStore`, over a real server that is killed, frozen, made read-only and starved of connections.

use std::{sync::Arc, time::Duration};

use deadpool_postgres::{Manager, Pool};
use pierre_webhook_dedup::{
    Begun, Claimed, Dedup, Key, LeaseHandle, Once, OnceError, PostgresStore, Recorded, Store,
    store_contract,
};
use pierre_webhook_tests::postgres_server::PostgresServer;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_postgres::NoTls;

use crate::unique::{LONG, heals, id, is_yours, key, one_wins_each_round, owner};

/// An operation takes at most 2 seconds; the rest is slack for a busy machine.
const BOUND: Duration = Duration::from_secs(4);

fn pool(url: &str, connections: usize) -> Pool {
    let manager = Manager::new(url.parse().unwrap(), NoTls);
    Pool::builder(manager).max_size(connections).build().unwrap()
}

/// A pool over a new database of the server that all tests share.
fn shared() -> Option<(Arc<PostgresServer>, String, Pool)> {
    let server = PostgresServer::shared()?;
    let name = server.create_database();
    let pool = pool(&server.url(&name), 8);
    Some((server, name, pool))
}

store_contract!(|check| {
    let Some((_server, _, pool)) = shared() else { return };
    check(&PostgresStore::open(pool).await.unwrap()).await
});

#[tokio::test]
async fn processes_that_start_together_create_the_table_once() {
    let Some((server, name, _)) = shared() else { return };
    let mut opened = JoinSet::new();
    for _ in 0..20 {
        let pool = pool(&server.url(&name), 1);
        opened.spawn(async move { PostgresStore::open(pool).await.map(drop) });
    }
    while let Some(opened) = opened.join_next().await {
        opened.unwrap().unwrap();
    }
    let versions = "SELECT count(*) || ' ' || max(version) FROM pierre_dedup_schema";
    assert_eq!(server.execute(&name, versions).trim(), "1 1");
}

#[tokio::test]
async fn the_table_of_a_newer_version_is_not_touched() {
    let Some((server, name, pool)) = shared() else { return };
    PostgresStore::open(pool.clone()).await.unwrap();
    server.execute(&name, "INSERT INTO pierre_dedup_schema VALUES (99)");
    let error = PostgresStore::open(pool).await.unwrap_err().to_string();
    assert_eq!(error, "its schema has version 99, which this crate doesn't know");
}

#[tokio::test]
async fn of_claims_from_eight_connections_one_wins_each_round() {
    let Some((_server, _, pool)) = shared() else { return };
    let store = PostgresStore::open(pool).await.unwrap();
    one_wins_each_round(&vec![store; 8], 100).await;
}

/// Counts its own run in the transaction that completes the delivery.
async fn count(pool: &Pool, lease: &LeaseHandle, commits: bool) -> Result<bool, &'static str> {
    let mut client = pool.get().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    transaction.execute("UPDATE counter SET n = n + 1", &[]).await.unwrap();
    let is_ours = lease.complete_in(&transaction).await.unwrap();
    if !is_ours || !commits {
        return Err("rolled back");
    }
    transaction.commit().await.unwrap();
    Ok(is_ours)
}

#[tokio::test]
async fn the_record_commits_with_the_writes_of_the_work_or_not_at_all() {
    let Some((server, name, pool)) = shared() else { return };
    server.execute(&name, "CREATE TABLE counter (n integer); INSERT INTO counter VALUES (0)");
    let dedup = Dedup::new(PostgresStore::open(pool.clone()).await.unwrap());
    let id = id();
    let n = || server.execute(&name, "SELECT n FROM counter").trim().to_owned();

    let rolled_back = dedup.once_with(id, async |lease| count(&pool, &lease, false).await).await;
    assert!(matches!(rolled_back, Err(OnceError::Work("rolled back"))), "{rolled_back:?}");
    assert_eq!(n(), "0");

    let ran = dedup.once_with(id, async |lease| count(&pool, &lease, true).await).await;
    assert_eq!(ran.unwrap(), Once::Ran { value: true, recorded: Recorded::Yes });
    assert_eq!(n(), "1");

    let again = dedup.once_with(id, async |lease| count(&pool, &lease, true).await).await;
    assert_eq!(again.unwrap(), Once::Completed);
}

#[tokio::test]
async fn a_claim_that_is_dropped_after_the_commit_stays_completed() {
    let Some((_server, _, pool)) = shared() else { return };
    let dedup = Dedup::new(PostgresStore::open(pool.clone()).await.unwrap());
    let id = id();
    let Begun::Claimed(claim) = dedup.begin(id).await.unwrap() else { panic!("not claimed") };
    let mut client = pool.get().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    assert!(claim.complete_in(&transaction).await.unwrap());
    // Not committed yet, so others see it in progress.
    assert!(matches!(dedup.begin(id).await.unwrap(), Begun::InProgress { .. }));
    transaction.commit().await.unwrap();
    drop(claim);
    assert!(matches!(dedup.begin(id).await.unwrap(), Begun::Completed));
}

#[tokio::test]
async fn work_that_was_taken_over_cannot_complete_in_its_transaction() {
    let Some((server, name, pool)) = shared() else { return };
    server.execute(&name, "CREATE TABLE counter (n integer); INSERT INTO counter VALUES (0)");
    let store = PostgresStore::open(pool.clone()).await.unwrap();
    let dedup = Dedup::new(store.clone()).lease(Duration::from_millis(50));
    let id = id();
    let Begun::Claimed(paused) = dedup.begin(id).await.unwrap() else { panic!("not claimed") };
    let start = Instant::now();
    let Begun::Claimed(other) = (loop {
        match dedup.begin(id).await.unwrap() {
            Begun::InProgress { .. } => assert!(start.elapsed() < BOUND),
            begun => break begun,
        }
    }) else {
        panic!("not claimed")
    };
    assert_eq!(count(&pool, &paused.handle(), true).await, Err("rolled back"));
    assert_eq!(other.complete().await, Recorded::Yes);
    assert_eq!(count(&pool, &paused.handle(), true).await, Err("rolled back"));
    assert_eq!(server.execute(&name, "SELECT n FROM counter").trim(), "0");
}

#[tokio::test]
async fn a_claim_of_another_store_cannot_complete_in_this_database() {
    let Some((_server, _, pool)) = shared() else { return };
    PostgresStore::open(pool.clone()).await.unwrap();
    let dedup = Dedup::new(pierre_webhook_dedup::MemoryStore::new());
    let Begun::Claimed(claim) = dedup.begin(id()).await.unwrap() else { panic!("not claimed") };
    let mut client = pool.get().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    assert!(!claim.complete_in(&transaction).await.unwrap());
}

#[tokio::test]
async fn records_that_ended_an_hour_ago_are_deleted_and_no_others() {
    let Some((server, name, pool)) = shared() else { return };
    let insert =
        "INSERT INTO pierre_dedup SELECT '', decode(lpad(to_hex(n), 64, '0'), 'hex'), '', 0, true,
        now() + n * interval '1 minute' FROM generate_series(-3000, 3000) n";
    PostgresStore::open(pool.clone()).await.unwrap();
    server.execute(&name, insert);
    let store = PostgresStore::open(pool).await.unwrap();
    let left = "SELECT count(*) FROM pierre_dedup WHERE owner = ''";
    // The first claim sweeps, in steps of a thousand.
    assert!(is_yours(&store.claim(key(), owner(), LONG).await.unwrap()));
    let start = Instant::now();
    while server.execute(&name, left).trim() != "3060" {
        assert!(start.elapsed() < 5 * BOUND, "{}", server.execute(&name, left));
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn an_exhausted_pool_fails_within_its_time_and_heals() {
    let Some((server, name, _)) = shared() else { return };
    let pool = pool(&server.url(&name), 1);
    let store = PostgresStore::open(pool.clone()).await.unwrap();
    let taken = pool.get().await.unwrap();
    let start = Instant::now();
    let error = store.claim(key(), owner(), LONG).await.unwrap_err().to_string();
    assert_eq!(error, "no answer from PostgreSQL within 2 seconds");
    assert!(start.elapsed() < BOUND, "{:?}", start.elapsed());
    drop(taken);
    assert!(is_yours(&store.claim(key(), owner(), LONG).await.unwrap()));
}

#[tokio::test]
async fn a_read_only_database_fails_and_heals() {
    let Some((server, name, pool)) = shared() else { return };
    let store = PostgresStore::open(pool).await.unwrap();
    let alter = |value| {
        server.execute(
            &name,
            &format!("ALTER DATABASE \"{name}\" SET default_transaction_read_only = {value}"),
        );
        // It holds for new connections.
        server.execute(
            "postgres",
            &format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
            ),
        );
    };
    alter("on");
    let start = Instant::now();
    loop {
        let error = store.claim(key(), owner(), LONG).await.unwrap_err();
        if format!("{error:?}").contains("read-only transaction") {
            break;
        }
        assert!(start.elapsed() < 2 * BOUND, "{error:?}");
    }
    server.execute(
        "postgres",
        &format!("ALTER DATABASE \"{name}\" RESET default_transaction_read_only"),
    );
    server.execute(
        "postgres",
        &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"),
    );
    heals(&store).await;
}

#[tokio::test]
async fn a_server_that_is_frozen_killed_and_restarted_fails_and_heals() {
    let Some(mut server) = PostgresServer::start() else { return };
    let name = server.create_database();
    let store = PostgresStore::open(pool(&server.url(&name), 2)).await.unwrap();
    let (done, held, done_by) = (key(), key(), owner());
    assert!(store.complete(done, done_by, LONG).await.unwrap());
    assert!(is_yours(&store.claim(held, owner(), LONG).await.unwrap()));

    server.freeze();
    let start = Instant::now();
    store.claim(key(), owner(), LONG).await.unwrap_err();
    assert!(start.elapsed() < BOUND, "{:?}", start.elapsed());
    server.thaw();
    heals(&store).await;

    server.kill();
    let start = Instant::now();
    store.claim(key(), owner(), LONG).await.unwrap_err();
    assert!(start.elapsed() < BOUND, "{:?}", start.elapsed());
    server.start_again();
    heals(&store).await;
    // What was answered is still there.
    assert_eq!(store.claim(done, owner(), LONG).await.unwrap(), Claimed::Completed);
    assert!(matches!(store.claim(held, owner(), LONG).await.unwrap(), Claimed::InProgress { .. }));
}

#[tokio::test]
async fn scopes_and_ids_are_stored_as_they_are() {
    let Some((_server, _, pool)) = shared() else { return };
    let store = PostgresStore::open(pool).await.unwrap();
    let id = id();
    // Tenants are separated by a control character.
    for scope in ["a", "a\u{1f}b", "a'; DROP TABLE pierre_dedup; --", "\u{10ffff}"] {
        assert!(
            is_yours(&store.claim(Key::new(scope, id), owner(), LONG).await.unwrap()),
            "{scope}"
        );
    }
}
