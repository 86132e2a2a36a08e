//! What both databases must do.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use pierre_webhook_core::Delivery;
use pierre_webhook_inbox::{Inbox, Inserted, Job, State, Worker};
use tokio::sync::Semaphore;

use crate::{
    database::Database,
    delivery::{ping, push, verified},
    eventually::eventually,
    working::{Runs, Working},
};

macro_rules! contract {
    ($($check:ident)*) => {
        mod over_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $check() {
                super::$check(super::Database::sqlite().unwrap()).await;
            })*
        }

        mod over_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $check() {
                if let Some(database) = super::Database::postgres() {
                    super::$check(database).await;
                }
            })*
        }
    };
}

contract! {
    a_repeated_delivery_is_stored_once
    deliveries_of_different_tenants_and_scopes_are_kept_apart
    a_job_is_the_delivery_that_was_stored
    a_delivery_that_fails_is_tried_again_and_dies_after_its_last_attempt
    a_dead_delivery_is_retried_with_all_its_tries_or_discarded
    a_handler_that_panics_has_failed
    a_handler_that_takes_too_long_has_failed
    a_lease_is_renewed_while_the_handler_runs
    a_delivery_whose_worker_was_killed_is_taken_over_after_its_lease
    a_last_attempt_that_outlived_its_lease_is_dead_and_does_not_run
    a_stored_delivery_that_cannot_be_read_dies_and_holds_up_nothing
    a_worker_that_stops_waits_for_what_it_runs
    a_worker_that_stops_gives_back_what_it_cannot_finish
    the_deliveries_of_a_repository_run_in_order
    a_delivery_that_waits_holds_up_its_repository_alone
    a_dead_delivery_lets_its_repository_go_on
    a_dead_delivery_holds_its_repository_if_that_is_set
    behind_a_long_queue_of_one_repository_others_are_found
    eight_workers_run_each_delivery_once
    eight_workers_keep_the_order_of_each_repository
    a_clock_that_was_set_back_holds_up_nothing
    an_inbox_that_is_full_rejects_deliveries_until_there_is_room
    pruning_removes_bodies_first_and_ids_after_the_retention
    statistics_count_what_waits_runs_and_is_dead
}

/// A long time: nothing of it passes by itself in a test.
const LONG: Duration = Duration::from_secs(3600);

async fn insert<'d>(inbox: &Inbox, deliveries: impl IntoIterator<Item = &'d Delivery>) {
    for delivery in deliveries {
        assert_eq!(inbox.insert(delivery).await.unwrap(), Inserted::New);
    }
}

async fn state(inbox: &Inbox, delivery: &Delivery) -> State {
    inbox.find(delivery.id()).await.unwrap()[0].0.state
}

async fn until_state(inbox: &Inbox, delivery: &Delivery, wanted: State) {
    eventually(wanted.as_str(), async || (state(inbox, delivery).await == wanted).then_some(()))
        .await;
}

async fn until_len(runs: &Runs, length: usize) {
    eventually("enough runs", async || (runs.len() >= length).then_some(())).await;
    assert_eq!(runs.len(), length);
}

/// A worker whose handler fails for these deliveries.
fn failing_for<'d>(
    inbox: &Inbox,
    runs: &Runs,
    failing: impl IntoIterator<Item = &'d Delivery>,
) -> Worker<impl Fn(Job) -> std::future::Ready<Result<(), &'static str>> + Send + Sync + 'static> {
    let (runs, failing) = (runs.clone(), failing.into_iter().map(Delivery::id).collect::<Vec<_>>());
    let worker = Worker::new(inbox.clone(), move |job: Job| {
        runs.add(&job);
        let fails = failing.contains(&job.id());
        std::future::ready(if fails { Err("it does not work") } else { Ok(()) })
    });
    // As if another process had stored the delivery.
    worker.poll_interval(Duration::from_millis(5)).backoff(LONG, LONG)
}

fn recording(
    inbox: &Inbox,
    runs: &Runs,
) -> Worker<impl Fn(Job) -> std::future::Ready<Result<(), &'static str>> + Send + Sync + 'static> {
    failing_for(inbox, runs, [])
}

/// A worker whose handler never ends.
fn hanging(
    inbox: &Inbox,
    runs: &Runs,
) -> Worker<impl Fn(Job) -> std::future::Pending<Result<(), String>> + Send + Sync + 'static> {
    let runs = runs.clone();
    let worker = Worker::new(inbox.clone(), move |job: Job| {
        runs.add(&job);
        std::future::pending()
    });
    worker.poll_interval(Duration::from_millis(5)).lease(LONG).timeout(LONG)
}

async fn a_repeated_delivery_is_stored_once(database: Database) {
    let inbox = database.inbox().await;
    let delivery = ping();
    assert_eq!(inbox.insert(&delivery).await.unwrap(), Inserted::New);
    assert_eq!(inbox.insert(&delivery).await.unwrap(), Inserted::Known);
    let runs = Runs::default();
    let working = Working::start(recording(&inbox, &runs));
    until_state(&inbox, &delivery, State::Done).await;
    // Another process knows it too.
    assert_eq!(database.inbox().await.insert(&delivery).await.unwrap(), Inserted::Known);
    working.stop().await;
    assert_eq!(runs.len(), 1);
}

async fn deliveries_of_different_tenants_and_scopes_are_kept_apart(database: Database) {
    let inbox = database.inbox().await.scope("a");
    let other = inbox.clone().scope("b");
    let of = |tenant| verified("ping", "1", tenant);
    insert(&inbox, &[of(None), of(Some("acme")), of(Some("other"))]).await;
    insert(&other, &[of(None)]).await;
    assert_eq!(inbox.insert(&of(Some("acme"))).await.unwrap(), Inserted::Known);

    let runs = Runs::default();
    let working = Working::start(recording(&inbox, &runs));
    until_len(&runs, 3).await;
    working.stop().await;
    let mut tenants: Vec<_> = runs.all().iter().map(|job| job.tenant.clone()).collect();
    tenants.sort();
    assert_eq!(tenants, [None, Some("acme".into()), Some("other".into())]);
    assert_eq!(other.stats().await.unwrap().ready, 1);
}

async fn a_job_is_the_delivery_that_was_stored(database: Database) {
    let inbox = database.inbox().await;
    let known = push("r");
    let unknown = verified("branch.created", r#"{"a":"\u0000"}"#, Some("acme"));
    assert_eq!(known.matched_secret, 1);
    insert(&inbox, [&known, &unknown]).await;
    let runs = Runs::default();
    let working = Working::start(recording(&inbox, &runs).concurrency(1));
    until_len(&runs, 2).await;
    working.stop().await;
    let jobs = runs.all();
    assert_eq!((&*jobs[0], &*jobs[1]), (&known, &unknown));
    assert_eq!((jobs[0].id(), jobs[0].attempt(), jobs[0].tries()), (known.id(), 1, 1));
}

async fn a_delivery_that_fails_is_tried_again_and_dies_after_its_last_attempt(database: Database) {
    let inbox = database.inbox().await;
    let delivery = ping();
    insert(&inbox, [&delivery]).await;
    let runs = Runs::default();
    let worker = failing_for(&inbox, &runs, [&delivery]);
    let working = Working::start(worker.max_attempts(3).backoff(LONG, LONG));
    for attempt in 1..=2 {
        until_len(&runs, attempt).await;
        until_state(&inbox, &delivery, State::Ready).await;
        // The backoff loses up to a half.
        database.pass(LONG / 2 - Duration::from_secs(60));
        let (entry, _) = inbox.find(delivery.id()).await.unwrap().remove(0);
        assert_eq!((entry.tries as usize, runs.len()), (attempt, attempt));
        assert_eq!(entry.error.as_deref(), Some("it does not work"));
        database.pass(LONG / 2 + Duration::from_secs(60));
    }
    until_state(&inbox, &delivery, State::Dead).await;
    working.stop().await;
    assert_eq!(runs.len(), 3);
    let dead = inbox.dead(10).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0].id, dead[0].tries, dead[0].attempt), (delivery.id(), 3, 3));
    assert_eq!(dead[0].error.as_deref(), Some("it does not work"));
}

async fn a_dead_delivery_is_retried_with_all_its_tries_or_discarded(database: Database) {
    let inbox = database.inbox().await;
    let deliveries = [ping(), ping()];
    insert(&inbox, &deliveries).await;
    let runs = Runs::default();
    let working = Working::start(failing_for(&inbox, &runs, &deliveries).max_attempts(1));
    for delivery in &deliveries {
        until_state(&inbox, delivery, State::Dead).await;
    }
    working.stop().await;

    assert!(inbox.retry(deliveries[0].id()).await.unwrap());
    assert!(!inbox.retry(deliveries[0].id()).await.unwrap());
    assert!(inbox.discard(deliveries[1].id()).await.unwrap());
    assert!(!inbox.discard(ping().id()).await.unwrap());
    let working = Working::start(recording(&inbox, &runs));
    until_state(&inbox, &deliveries[0], State::Done).await;
    working.stop().await;
    assert_eq!(state(&inbox, &deliveries[1]).await, State::Done);
    let last = runs.all().pop().unwrap();
    assert_eq!((runs.len(), last.attempt(), last.tries()), (3, 2, 1));
}

async fn a_handler_that_panics_has_failed(database: Database) {
    let inbox = database.inbox().await;
    let delivery = ping();
    insert(&inbox, [&delivery]).await;
    let worker = Worker::new(inbox.clone(), async |job: Job| -> Result<(), String> {
        panic!("attempt {}", job.attempt())
    });
    let working = Working::start(worker.max_attempts(1));
    until_state(&inbox, &delivery, State::Dead).await;
    working.stop().await;
    let error = inbox.dead(1).await.unwrap().remove(0).error;
    assert_eq!(error.as_deref(), Some("it panicked: attempt 1"));
}

async fn a_handler_that_takes_too_long_has_failed(database: Database) {
    let inbox = database.inbox().await;
    let delivery = ping();
    insert(&inbox, [&delivery]).await;
    let worker = hanging(&inbox, &Runs::default()).max_attempts(1);
    let working = Working::start(worker.timeout(Duration::from_millis(20)));
    until_state(&inbox, &delivery, State::Dead).await;
    working.stop().await;
    let error = inbox.dead(1).await.unwrap().remove(0).error;
    assert_eq!(error.as_deref(), Some("it took longer than 20ms"));
}

async fn a_lease_is_renewed_while_the_handler_runs(database: Database) {
    let inbox = database.inbox().await;
    let delivery = ping();
    insert(&inbox, [&delivery]).await;
    let runs = Runs::default();
    let working = Working::start(hanging(&inbox, &runs).lease(Duration::from_secs(1)));
    until_len(&runs, 1).await;
    let due = async || inbox.find(delivery.id()).await.unwrap()[0].0.due;
    let first = due().await;
    eventually("a renewal", async || {
        (due().await > first + Duration::from_millis(500)).then_some(())
    })
    .await;
    assert_eq!(runs.len(), 1);
    working.kill().await;
}

async fn a_delivery_whose_worker_was_killed_is_taken_over_after_its_lease(database: Database) {
    let inbox = database.inbox().await;
    let delivery = ping();
    insert(&inbox, [&delivery]).await;
    let runs = Runs::default();
    let killed = Working::start(hanging(&inbox, &runs));
    until_len(&runs, 1).await;
    killed.kill().await;
    assert_eq!(state(&inbox, &delivery).await, State::Running);

    let working = Working::start(recording(&database.inbox().await, &runs));
    database.pass(LONG - Duration::from_secs(60));
    assert_eq!(runs.len(), 1);
    database.pass(Duration::from_secs(60));
    until_state(&inbox, &delivery, State::Done).await;
    working.stop().await;
    let last = runs.all().pop().unwrap();
    assert_eq!((runs.len(), last.attempt(), last.tries()), (2, 2, 2));
}

async fn a_last_attempt_that_outlived_its_lease_is_dead_and_does_not_run(database: Database) {
    let inbox = database.inbox().await;
    let delivery = ping();
    insert(&inbox, [&delivery]).await;
    let runs = Runs::default();
    let killed = Working::start(hanging(&inbox, &runs));
    until_len(&runs, 1).await;
    killed.kill().await;
    database.pass(LONG);
    let working = Working::start(recording(&inbox, &runs).max_attempts(1));
    until_state(&inbox, &delivery, State::Dead).await;
    working.stop().await;
    assert_eq!(runs.len(), 1);
    let error = inbox.dead(1).await.unwrap().remove(0).error;
    assert_eq!(error.as_deref(), Some("the last attempt outlived its lease"));
}

async fn a_stored_delivery_that_cannot_be_read_dies_and_holds_up_nothing(database: Database) {
    let inbox = database.inbox().await;
    let (broken, whole) = (push("a"), push("b"));
    insert(&inbox, [&broken, &whole]).await;
    database.execute("UPDATE pierre_delivery SET event_type = 'repo.sync.failed' WHERE lane = 'a'");
    let runs = Runs::default();
    let working = Working::start(recording(&inbox, &runs).max_attempts(1));
    until_state(&inbox, &broken, State::Dead).await;
    until_state(&inbox, &whole, State::Done).await;
    working.stop().await;
    assert_eq!(runs.len(), 1);
    let error = inbox.dead(1).await.unwrap().remove(0).error.unwrap();
    assert!(error.starts_with("the stored delivery can't be read: "), "{error}");
}

async fn a_worker_that_stops_waits_for_what_it_runs(database: Database) {
    let inbox = database.inbox().await;
    let delivery = ping();
    insert(&inbox, [&delivery, &ping()]).await;
    let (may_end, has_begun) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let handler = {
        let (may_end, has_begun) = (may_end.clone(), has_begun.clone());
        move |_: Job| {
            let (may_end, has_begun) = (may_end.clone(), has_begun.clone());
            async move {
                has_begun.add_permits(1);
                may_end.acquire().await.map(drop).map_err(|error| error.to_string())
            }
        }
    };
    let working = Working::start(Worker::new(inbox.clone(), handler).concurrency(1));
    let _ = has_begun.acquire().await.unwrap();
    let is_stopped = Arc::new(AtomicBool::new(false));
    let stopped = tokio::spawn({
        let is_stopped = is_stopped.clone();
        async move {
            working.stop().await;
            is_stopped.store(true, Ordering::SeqCst);
        }
    });
    tokio::task::yield_now().await;
    assert!(!is_stopped.load(Ordering::SeqCst));
    may_end.add_permits(1);
    stopped.await.unwrap();
    assert_eq!(state(&inbox, &delivery).await, State::Done);
    let stats = inbox.stats().await.unwrap();
    assert_eq!((stats.ready, stats.running), (1, 0), "it took no more");
}

async fn a_worker_that_stops_gives_back_what_it_cannot_finish(database: Database) {
    let inbox = database.inbox().await;
    let delivery = ping();
    insert(&inbox, [&delivery]).await;
    let runs = Runs::default();
    let worker = hanging(&inbox, &runs).shutdown_timeout(Duration::ZERO);
    let working = Working::start(worker);
    until_len(&runs, 1).await;
    working.stop().await;
    assert_eq!(state(&inbox, &delivery).await, State::Ready);
    // At once, and the try that was broken off doesn't count.
    let working = Working::start(recording(&inbox, &runs).max_attempts(1));
    until_state(&inbox, &delivery, State::Done).await;
    working.stop().await;
    let last = runs.all().pop().unwrap();
    assert_eq!((last.attempt(), last.tries()), (2, 1));
}

async fn the_deliveries_of_a_repository_run_in_order(database: Database) {
    let inbox = database.inbox().await;
    let deliveries: Vec<_> = (0..60).map(|number| push(["a", "b", "c"][number % 3])).collect();
    insert(&inbox, &deliveries).await;
    let (runs, is_running) = (Runs::default(), Arc::new(AtomicBool::new(false)));
    let handler = {
        let (runs, is_running) = (runs.clone(), is_running.clone());
        move |job: Job| {
            let (runs, is_running) = (runs.clone(), is_running.clone());
            async move {
                let is_a = job.event.repository().is_some_and(|repository| repository.id == "a");
                assert!(!is_a || !is_running.swap(true, Ordering::SeqCst), "two at the same time");
                tokio::task::yield_now().await;
                runs.add(&job);
                if is_a {
                    is_running.store(false, Ordering::SeqCst);
                }
                Ok::<_, String>(())
            }
        }
    };
    let worker = Worker::new(inbox.clone(), handler).ordered_by_repository();
    // So long that only the end of a delivery can wake the next.
    let working = Working::start(worker.poll_interval(LONG));
    until_len(&runs, 60).await;
    working.stop().await;
    assert_in_order(&runs, &deliveries);
    assert!(inbox.dead(1).await.unwrap().is_empty());
}

fn assert_in_order(runs: &Runs, deliveries: &[Delivery]) {
    let lane = |delivery: &Delivery| delivery.event.repository().unwrap().id.clone();
    let jobs = runs.all();
    for repository in deliveries.iter().map(lane).collect::<std::collections::BTreeSet<_>>() {
        let ran = jobs.iter().filter(|job| lane(job) == repository).map(Job::id);
        let stored = deliveries.iter().filter(|delivery| lane(delivery) == repository);
        assert!(ran.eq(stored.map(Delivery::id)), "the order of {repository}");
    }
}

async fn a_delivery_that_waits_holds_up_its_repository_alone(database: Database) {
    let inbox = database.inbox().await;
    let deliveries = [push("a"), push("a"), push("b"), ping()];
    insert(&inbox, &deliveries).await;
    let (runs, fails) = (Runs::default(), Arc::new(AtomicBool::new(true)));
    let (first, handler_runs, still_fails) = (deliveries[0].id(), runs.clone(), fails.clone());
    let worker = Worker::new(inbox.clone(), move |job: Job| {
        handler_runs.add(&job);
        let fails = job.id() == first && still_fails.load(Ordering::SeqCst);
        std::future::ready(if fails { Err("not yet") } else { Ok(()) })
    });
    let worker = worker.ordered_by_repository().backoff(LONG, LONG);
    let working = Working::start(worker.poll_interval(Duration::from_millis(5)));
    until_state(&inbox, &deliveries[2], State::Done).await;
    until_state(&inbox, &deliveries[3], State::Done).await;
    until_len(&runs, 3).await;
    // The second is put aside for a shorter time than the first one waits, and is blocked again.
    database.pass(LONG / 4);
    assert_eq!(state(&inbox, &deliveries[1]).await, State::Ready);
    fails.store(false, Ordering::SeqCst);
    database.pass(LONG);
    until_state(&inbox, &deliveries[1], State::Done).await;
    working.stop().await;
    let ids: Vec<_> = runs.all().iter().map(Job::id).collect();
    assert_eq!(ids[3..], [deliveries[0].id(), deliveries[1].id()]);
}

async fn a_dead_delivery_lets_its_repository_go_on(database: Database) {
    let inbox = database.inbox().await;
    let deliveries = [push("a"), push("a")];
    insert(&inbox, &deliveries).await;
    let runs = Runs::default();
    let worker = failing_for(&inbox, &runs, &deliveries[..1]).max_attempts(1);
    let working = Working::start(worker.ordered_by_repository());
    until_state(&inbox, &deliveries[1], State::Done).await;
    working.stop().await;
    assert_eq!(state(&inbox, &deliveries[0]).await, State::Dead);
    assert_in_order(&runs, &deliveries);
}

async fn a_dead_delivery_holds_its_repository_if_that_is_set(database: Database) {
    let inbox = database.inbox().await;
    let deliveries = [push("a"), push("a"), push("a"), push("b")];
    insert(&inbox, &deliveries).await;
    let runs = Runs::default();
    let worker = failing_for(&inbox, &runs, &deliveries[..1]).max_attempts(1);
    let working = Working::start(worker.dead_holds_repository());
    until_state(&inbox, &deliveries[0], State::Dead).await;
    until_state(&inbox, &deliveries[3], State::Done).await;
    database.pass(LONG);
    until_len(&runs, 2).await;
    assert_eq!(state(&inbox, &deliveries[1]).await, State::Ready);
    // It fails again, and dies again.
    inbox.retry(deliveries[0].id()).await.unwrap();
    until_len(&runs, 3).await;
    until_state(&inbox, &deliveries[0], State::Dead).await;
    assert!(inbox.discard(deliveries[0].id()).await.unwrap());
    until_state(&inbox, &deliveries[2], State::Done).await;
    working.stop().await;
    let ids: Vec<_> = runs.all().iter().map(Job::id).collect();
    assert_eq!(ids[3..], [deliveries[1].id(), deliveries[2].id()]);
}

async fn behind_a_long_queue_of_one_repository_others_are_found(database: Database) {
    let inbox = database.inbox().await;
    let runs = Runs::default();
    let first = push("a");
    insert(&inbox, [&first]).await;
    let hanging = Working::start(hanging(&inbox, &runs).ordered_by_repository());
    until_len(&runs, 1).await;
    hanging.kill().await;
    let queue: Vec<_> = (0..200).map(|_| push("a")).collect();
    insert(&inbox, &queue).await;
    let other = push("b");
    insert(&inbox, [&other]).await;
    // It is found by one taking: the worker doesn't poll.
    let worker = recording(&inbox, &runs).ordered_by_repository().poll_interval(LONG);
    let working = Working::start(worker);
    until_state(&inbox, &other, State::Done).await;
    assert_eq!(runs.len(), 2);
    working.stop().await;
}

async fn eight_workers_run_each_delivery_once(database: Database) {
    race(database, false).await;
}

async fn eight_workers_keep_the_order_of_each_repository(database: Database) {
    race(database, true).await;
}

async fn race(database: Database, in_order: bool) {
    let runs = Runs::default();
    let mut workers = Vec::new();
    for _ in 0..8 {
        let worker = recording(&database.inbox().await, &runs).concurrency(3);
        let worker = if in_order { worker.ordered_by_repository() } else { worker };
        workers.push(Working::start(worker));
    }
    // One inbox stores, so that the order is known; the workers are running already.
    let inbox = database.inbox().await;
    let deliveries: Vec<_> = (0..300).map(|number| push(&format!("r{}", number % 5))).collect();
    insert(&inbox, &deliveries).await;
    eventually("everything is done", async || {
        let stats = inbox.stats().await.unwrap();
        (stats.ready == 0 && stats.running == 0).then_some(())
    })
    .await;
    for worker in workers {
        worker.stop().await;
    }
    assert_eq!(runs.len(), 300);
    assert!(runs.all().iter().all(|job| job.attempt() == 1));
    if in_order {
        assert_in_order(&runs, &deliveries);
    }
}

async fn a_clock_that_was_set_back_holds_up_nothing(database: Database) {
    let inbox = database.inbox().await;
    let (failed, running, waiting) = (ping(), ping(), push("r"));
    let runs = Runs::default();
    insert(&inbox, [&failed]).await;
    let failing = Working::start(failing_for(&inbox, &runs, [&failed]));
    let has_failed =
        async || inbox.find(failed.id()).await.unwrap()[0].0.error.as_deref().map(drop);
    eventually("the failure", has_failed).await;
    failing.stop().await;
    insert(&inbox, [&running]).await;
    let killed = Working::start(hanging(&inbox, &runs));
    until_len(&runs, 2).await;
    killed.kill().await;
    insert(&inbox, [&waiting]).await;
    database.set_back(LONG * 24);

    let working = Working::start(recording(&inbox, &runs).lease(Duration::from_millis(50)));
    for delivery in [&waiting, &running, &failed] {
        until_state(&inbox, delivery, State::Done).await;
    }
    working.stop().await;
    assert_eq!(runs.len(), 5);
}

async fn an_inbox_that_is_full_rejects_deliveries_until_there_is_room(database: Database) {
    let inbox = database.inbox().await.max_waiting(2);
    insert(&inbox, &[ping(), ping()]).await;
    let error = inbox.insert(&ping()).await.unwrap_err();
    assert!(error.is_full());
    assert_eq!(error.to_string(), "the inbox is full: 2 deliveries wait");
    // Another process counts what is stored.
    let other = database.inbox().await.max_waiting(2);
    assert!(other.insert(&ping()).await.unwrap_err().is_full());
    assert!(other.clone().scope("other").insert(&ping()).await.is_ok());

    let runs = Runs::default();
    let working = Working::start(recording(&inbox, &runs));
    until_len(&runs, 2).await;
    working.stop().await;
    eventually("room", async || inbox.insert(&ping()).await.ok()).await;
}

async fn pruning_removes_bodies_first_and_ids_after_the_retention(database: Database) {
    let inbox = database.inbox().await.retention(LONG * 2);
    let (done, waiting) = (ping(), ping());
    insert(&inbox, [&done]).await;
    let working = Working::start(recording(&inbox, &Runs::default()));
    until_state(&inbox, &done, State::Done).await;
    working.stop().await;
    insert(&inbox, [&waiting]).await;

    assert_eq!(inbox.prune(LONG).await.unwrap().bodies, 0);
    database.pass(LONG);
    let pruned = inbox.prune(LONG).await.unwrap();
    assert_eq!((pruned.bodies, pruned.entries), (1, 0));
    assert_eq!(inbox.find(done.id()).await.unwrap()[0].1, None);
    assert_eq!(inbox.insert(&done).await.unwrap(), Inserted::Known);
    database.pass(LONG);
    let pruned = inbox.prune(LONG).await.unwrap();
    assert_eq!((pruned.bodies, pruned.entries), (0, 1));
    assert_eq!(inbox.insert(&done).await.unwrap(), Inserted::New);
    let (entry, body) = inbox.find(waiting.id()).await.unwrap().remove(0);
    assert_eq!((entry.state, body), (State::Ready, Some(waiting.body)));

    // More than one statement removes.
    let columns = "scope, id, tenant, event_type, signed_at, matched_secret, received_at, state, due, ended_at, body";
    database.execute(&format!(
        "INSERT INTO pierre_delivery ({columns})
         WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 2500)
         SELECT scope, {}, tenant, event_type, signed_at, matched_secret, received_at, 'done', due, received_at, body
         FROM numbers, (SELECT * FROM pierre_delivery WHERE state = 'ready' ORDER BY seq LIMIT 1) one",
        match &database {
            Database::Sqlite(_) => "CAST(printf('%032d', n) AS BLOB)",
            Database::Postgres { .. } => "decode(lpad(n::text, 64, '0'), 'hex')",
        },
    ));
    database.pass(LONG * 2);
    let pruned = inbox.prune(LONG).await.unwrap();
    assert_eq!(pruned.entries, 2500);
    assert_eq!(database.number("SELECT count(*) FROM pierre_delivery"), 2);
}

async fn statistics_count_what_waits_runs_and_is_dead(database: Database) {
    let inbox = database.inbox().await;
    assert_eq!(inbox.stats().await.unwrap(), pierre_webhook_inbox::Stats::default());
    let (running, dead, ready) = (ping(), ping(), push("r"));
    insert(&inbox, [&running]).await;
    let runs = Runs::default();
    let hung = Working::start(hanging(&inbox, &runs).concurrency(1));
    until_len(&runs, 1).await;
    insert(&inbox, [&dead]).await;
    let failing = failing_for(&inbox, &runs, [&dead]).max_attempts(1);
    let failing = Working::start(failing);
    until_state(&inbox, &dead, State::Dead).await;
    failing.stop().await;
    insert(&inbox, [&ready]).await;
    database.pass(LONG / 2);

    let stats = inbox.stats().await.unwrap();
    assert_eq!((stats.ready, stats.running, stats.dead), (1, 1, 1));
    let oldest = stats.oldest.unwrap();
    assert!(LONG / 2 <= oldest && oldest < LONG, "{oldest:?}");
    for (state, delivery) in
        [(State::Ready, &ready), (State::Running, &running), (State::Dead, &dead)]
    {
        let entries = inbox.list(state, 10).await.unwrap();
        assert_eq!(entries.len(), 1);
        assert_eq!((entries[0].id, entries[0].state), (delivery.id(), state));
        assert_eq!(entries[0].event_type, delivery.event_type());
    }
    let (entry, body) = inbox.find(ready.id()).await.unwrap().remove(0);
    assert_eq!((entry.lane.as_deref(), entry.tenant, body), (Some("r"), None, Some(ready.body)));
    assert!(inbox.find(ping().id()).await.unwrap().is_empty());
    hung.kill().await;
}
