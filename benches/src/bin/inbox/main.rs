//! `cargo run --release --bin inbox`: the cost of storing a delivery before it is acknowledged, and of running it, over a SQLite
//! file and a PostgreSQL of its own. `-- --rows 1000000` also measures how both change as the table grows.

mod postgres;
mod sqlite;

use std::{
    env,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use pierre_webhook_core::Delivery;
use pierre_webhook_inbox::{Inbox, InboxError, Job, Receiver, Worker};
use pierre_webhook_tests::postgres_server::PostgresServer;
use pierre_webhook_tower::Webhook;
use tokio::sync::Notify;
use tower_service::Service as _;

const ROUNDS: usize = 9;
/// How many deliveries a round stores, or runs.
const DELIVERIES: usize = 1_000;
const CONCURRENCY: usize = 8;
/// How many rows wait while the acknowledgement is measured again.
const WAITING: u64 = 100_000;
/// How long the disk has to write what filling and clearing left.
const CALM: Duration = Duration::from_secs(1);

/// A database with the inbox's table and a bare one of the same form.
trait Database {
    const NAME: &str;

    async fn inbox(&self) -> Inbox;

    /// Stores the deliveries in the bare table by the bare `INSERT`.
    async fn insert(&self, deliveries: &[Delivery], in_flight: usize);

    /// Takes and completes all deliveries of the bare table by the bare statements, as many at once as a worker.
    async fn work(&self);

    /// Adds rows that wait to the inbox's table.
    fn fill(&self, rows: u64);

    /// Empties both tables.
    fn clear(&self);
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = env::args().skip_while(|argument| argument != "--rows").skip(1);
    let rows = arguments.next().map(|rows| rows.parse().expect("a number of rows"));
    match PostgresServer::start() {
        Some(server) => measure(&postgres::Postgres::new(server).await, rows).await,
        None => println!("skipped: PostgreSQL is not installed"),
    }
    measure(&sqlite::Sqlite::new().await, rows).await;
}

async fn measure(database: &impl Database, rows: Option<u64>) {
    let inbox = database.inbox().await.max_waiting(u64::MAX);
    receiver(database, &inbox).await;
    worker(database, &inbox).await;
    acknowledgement(database, &inbox).await;
    if let Some(rows) = rows {
        growth(database, &inbox, rows).await;
    }
}

async fn receiver<D: Database>(database: &D, inbox: &Inbox) {
    println!("\n{}: deliveries stored per second", D::NAME);
    println!(
        "{:<16}{:>14}{:>12}{:>9}{:>17}{:>7}",
        "in flight", "bare INSERT", "receiver", "ratio", "of the rounds", "goal"
    );
    for in_flight in [1, CONCURRENCY, 64] {
        let mut rates = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            database.clear();
            let (bare, own) = (deliveries(DELIVERIES), deliveries(DELIVERIES));
            let start = Instant::now();
            database.insert(&bare, in_flight).await;
            rates[0].push(per_second(start));
            let start = Instant::now();
            store(inbox, own, in_flight).await;
            rates[1].push(per_second(start));
        }
        line(&in_flight.to_string(), rates, 0.8);
    }
}

async fn worker<D: Database>(database: &D, inbox: &Inbox) {
    println!("\n{}: deliveries run per second, {CONCURRENCY} at a time", D::NAME);
    println!(
        "{:<16}{:>14}{:>12}{:>9}{:>17}{:>7}",
        "", "statements", "worker", "ratio", "of the rounds", "goal"
    );
    let mut rates = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        database.clear();
        let deliveries = deliveries(DELIVERIES);
        database.insert(&deliveries, CONCURRENCY).await;
        store(inbox, deliveries, CONCURRENCY).await;
        let start = Instant::now();
        database.work().await;
        rates[0].push(per_second(start));
        let start = Instant::now();
        work(inbox, DELIVERIES).await.expect("a database");
        rates[1].push(per_second(start));
        assert_eq!(inbox.stats().await.expect("a database").ready, 0);
    }
    line("", rates, 0.8);
}

async fn acknowledgement<D: Database>(database: &D, inbox: &Inbox) {
    println!(
        "\n{}: milliseconds to the acknowledgement, {CONCURRENCY} in flight, no worker",
        D::NAME
    );
    println!("{:<24}{:>8}{:>8}{:>8}{:>7}", "rows that wait", "median", "p99", "ratio", "goal");
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        database.clear();
        tokio::time::sleep(CALM).await;
        times[0].extend(store(inbox, deliveries(DELIVERIES), CONCURRENCY).await);
        database.clear();
        database.fill(WAITING);
        tokio::time::sleep(CALM).await;
        times[1].extend(store(inbox, deliveries(DELIVERIES), CONCURRENCY).await);
    }
    let [empty, full] = times.map(|mut times| {
        times.sort_unstable();
        [times[times.len() / 2], times[times.len() * 99 / 100]]
            .map(|time| time.as_secs_f64() * 1000.0)
    });
    println!("{:<24}{:>8.3}{:>8.3}", "0", empty[0], empty[1]);
    println!(
        "{WAITING:<24}{:>8.3}{:>8.3}{:>8.2}{:>7}",
        full[0],
        full[1],
        full[1] / empty[1],
        "1.5"
    );
}

async fn growth<D: Database>(database: &D, inbox: &Inbox, most: u64) {
    println!("\n{}: per second, as the table grows", D::NAME);
    println!("{:<16}{:>12}{:>12}", "rows that wait", "stored", "run");
    database.clear();
    let mut rows = 1_000;
    let mut filled = 0;
    while rows <= most {
        database.fill(rows - filled);
        filled = rows;
        let mut rates = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            let start = Instant::now();
            store(inbox, deliveries(DELIVERIES), CONCURRENCY).await;
            rates[0].push(per_second(start));
            let start = Instant::now();
            work(inbox, DELIVERIES).await.expect("a database");
            rates[1].push(per_second(start));
        }
        let [stored, run] = rates.map(median);
        println!("{rows:<16}{stored:>12.0}{run:>12.0}");
        rows *= 10;
    }
}

/// Stores the deliveries as a request does, and returns how long each took.
async fn store(inbox: &Inbox, deliveries: Vec<Delivery>, in_flight: usize) -> Vec<Duration> {
    let receiver = inbox.receiver();
    let requests = deliveries.into_iter().map(|delivery| {
        let mut request = http::Request::new(());
        request.extensions_mut().insert(Webhook::from(delivery));
        request
    });
    let requests = std::cell::RefCell::new(requests);
    let lane = async |mut receiver: Receiver| {
        let mut times = Vec::new();
        loop {
            let Some(request) = requests.borrow_mut().next() else { return times };
            let start = Instant::now();
            let Ok(response) = receiver.call(request).await;
            times.push(start.elapsed());
            assert_eq!(response.status(), 200);
        }
    };
    join_all((0..in_flight).map(|_| lane(receiver.clone()))).await.concat()
}

/// Runs this many deliveries, with a handler that does nothing.
async fn work(inbox: &Inbox, deliveries: usize) -> Result<(), InboxError> {
    let (left, all_run) = (Arc::new(AtomicU64::new(deliveries as u64)), Arc::new(Notify::new()));
    let handler = {
        let all_run = all_run.clone();
        move |_: Job| {
            // The last one ends within the worker's shutdown.
            if left.fetch_sub(1, Ordering::Relaxed) == 1 {
                all_run.notify_one();
            }
            std::future::ready(Ok::<_, String>(()))
        }
    };
    let worker = Worker::new(inbox.clone(), handler).concurrency(CONCURRENCY);
    worker.run(async move { all_run.notified().await }).await
}

/// Makes deliveries whose ids never repeat, as a verifier would.
fn deliveries(number: usize) -> Vec<Delivery> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let delivery = |_| {
        let body = push_of(NEXT.fetch_add(1, Ordering::Relaxed));
        Delivery::from_stored("push", body.into(), 1_700_000_000).expect("a push")
    };
    (0..number).map(delivery).collect()
}

/// A body of a push that waits and is run.
fn push() -> String {
    push_of(u64::MAX / 2)
}

fn push_of(number: u64) -> String {
    format!(
        r#"{{"repository":{{"id":"{:032x}","url":"https://example.code.storage/team/repository.git"}},
        "ref":"refs/heads/main","before":"{number:040x}","after":"{:040x}","customer_id":"customer",
        "pushed_at":"2024-01-20T10:30:00Z"}}"#,
        number % 100,
        number + 1,
    )
}

fn per_second(start: Instant) -> f64 {
    DELIVERIES as f64 / start.elapsed().as_secs_f64()
}

fn line(name: &str, [bare, own]: [Vec<f64>; 2], goal: f64) {
    // Ratios of the same round: a machine that others use is slow for both.
    let mut ratios: Vec<f64> = own.iter().zip(&bare).map(|(own, bare)| own / bare).collect();
    ratios.sort_by(f64::total_cmp);
    let (least, most) = (ratios[0], ratios[ratios.len() - 1]);
    let spread = format!("{least:.2} to {most:.2}");
    let (bare, own) = (median(bare), median(own));
    println!("{name:<16}{bare:>14.0}{own:>12.0}{:>9.3}{spread:>17}{goal:>7}", median(ratios));
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// Returns the statements of the inbox for a table of the same form.
fn bare(sql: &str) -> String {
    sql.replace("pierre_delivery", "bare_delivery")
}
