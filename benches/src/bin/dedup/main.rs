//! `cargo run --release --bin dedup`: the cost of handling a delivery once, in memory, in a SQLite file, and over a Redis
//! and a PostgreSQL of its own.

mod postgres;
mod sqlite;

use std::{
    alloc::System,
    convert::Infallible,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use pierre_webhook_dedup::{Dedup, DeliveryId, Key, MemoryStore, Once, Owner, RedisStore, Store};
use pierre_webhook_tests::{
    postgres_server::PostgresServer,
    redis_server::{RedisServer, Reply},
};
use redis::aio::MultiplexedConnection;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const LEASE: Duration = Duration::from_secs(60);
const RETENTION: Duration = Duration::from_secs(72 * 3600);

const ROUNDS: usize = 15;
const ROUND: Duration = Duration::from_millis(400);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    memory().await;
    match RedisServer::start() {
        Some(server) => {
            redis_size(&server).await;
            redis(&server.url()).await;
        }
        None => println!("\nskipped: redis-server is not installed"),
    }
    match PostgresServer::start() {
        Some(server) => postgres::measure(&server.url("postgres")).await,
        None => println!("\nskipped: PostgreSQL is not installed"),
    }
    sqlite::measure().await;
}

/// Generates ids that never repeat.
struct Ids(u64);

impl Ids {
    fn next(&mut self) -> DeliveryId {
        self.0 += 1;
        // Spread like a hash, which an id is.
        let mut bytes = [0; 32];
        for (index, part) in bytes.chunks_exact_mut(8).enumerate() {
            let part_of_it = (self.0 ^ (index as u64) << 60).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            part.copy_from_slice(&part_of_it.rotate_left(31).to_be_bytes());
        }
        DeliveryId::from(bytes)
    }
}

/// Measures a claim and a completion in a full store, where each evicts the oldest record.
async fn memory() {
    println!("the memory store, full: claim and complete");
    println!("{:<32}{:>12}{:>10}{:>16}", "entries", "ns", "goal", "bytes an entry");
    let mut ids = Ids(0);
    let mut small = None;
    for entries in [1_000, 1_000_000] {
        let region = Region::new(ALLOCATOR);
        let store = MemoryStore::with_capacity(entries);
        for _ in 0..entries {
            handle(&store, ids.next()).await;
        }
        let change = region.change();
        let bytes = (change.bytes_allocated as isize + change.bytes_reallocated
            - change.bytes_deallocated as isize)
            / entries as isize;
        let mut samples = Vec::new();
        for _ in 0..ROUNDS * 10 {
            let start = Instant::now();
            for _ in 0..2_000 {
                handle(&store, ids.next()).await;
            }
            samples.push(start.elapsed().as_nanos() as f64 / 2_000.0);
        }
        let nanoseconds = median(samples);
        let goal = small.map_or(f64::NAN, |small: f64| (4.0 * small).min(2000.0));
        let goal = if goal.is_nan() { String::new() } else { format!("{goal:.0}") };
        println!("{entries:<32}{nanoseconds:>12.0}{goal:>10}{bytes:>16}");
        small.get_or_insert(nanoseconds);
    }
}

async fn handle(store: &impl Store, id: DeliveryId) {
    let (key, owner) = (Key::new("", id), Owner::random().expect("random bytes"));
    store.claim(key, owner, LEASE).await.expect("a store");
    store.complete(key, owner, RETENTION).await.expect("a store");
}

/// Measures what a completed delivery takes in Redis.
async fn redis_size(server: &RedisServer) {
    const RECORDS: usize = 100_000;
    let used = || match server.ask(&["INFO", "memory"]) {
        Reply::Text(info) => {
            let line = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
            line.and_then(|bytes| bytes.trim().parse::<usize>().ok()).expect("a number")
        }
        _ => panic!("no text"),
    };
    let store = RedisStore::connect(&server.url()).await.expect("a server");
    let (before, mut ids) = (used(), Ids(1 << 50));
    for _ in 0..RECORDS {
        let (key, owner) = (Key::new("", ids.next()), Owner::random().expect("random bytes"));
        store.complete(key, owner, RETENTION).await.expect("a store");
    }
    let bytes = (used() - before) / RECORDS;
    println!("\nover Redis: {bytes} bytes for each of {RECORDS} completed deliveries");
}

/// Compares with two `SET`s by the bare client. Each uses one connection.
async fn redis(url: &str) {
    let client = redis::Client::open(url).expect("a URL");
    let bare = client.get_multiplexed_async_connection().await.expect("a server");
    let store = RedisStore::connect(url).await.expect("a server");
    for (in_flight, goal) in [(1, 0.85), (64, 0.75)] {
        let title = format!("over Redis, {in_flight} in flight on one connection");
        let names = [title.as_str(), "two SETs, the bare client"];
        compare(names, &store, in_flight, goal, async |id| two_sets(bare.clone(), id).await).await;
    }
}

/// Measures how many deliveries per second are claimed and completed, interleaved with the bare statements.
async fn compare(
    [title, bare_name]: [&str; 2],
    store: &(impl Store + Clone),
    in_flight: usize,
    goal: f64,
    bare: impl AsyncFn(DeliveryId),
) {
    static NEXT: AtomicU64 = AtomicU64::new(1 << 40);
    let dedup = Dedup::new(store.clone());
    let mut samples = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        let first = NEXT.fetch_add(1 << 24, Ordering::Relaxed);
        samples[0].push(rate(in_flight, first, &bare).await);
        let handle = async |id| handle(store, id).await;
        samples[1].push(rate(in_flight, first + (1 << 22), handle).await);
        let once = async |id| {
            let once = dedup.once(id, async || Ok::<_, Infallible>(())).await;
            assert!(matches!(once, Ok(Once::Ran { .. })));
        };
        samples[2].push(rate(in_flight, first + (1 << 23), once).await);
    }
    // Ratios of the same round: a machine that others use is slow for all three.
    let ratio = |of: usize| {
        median(samples[of].iter().zip(&samples[0]).map(|(rate, bare)| rate / bare).collect())
    };
    let [store_ratio, once_ratio] = [ratio(1), ratio(2)];
    let [bare, store, once] = samples.map(median);
    println!("\n{title}: deliveries per second");
    println!("{bare_name:<32}{bare:>12.0}{:>10}{:>8}", "ratio", "goal");
    println!("{:<32}{store:>12.0}{store_ratio:>10.3}{goal:>8}", "claim and complete");
    println!("{:<32}{once:>12.0}{once_ratio:>10.3}", "Dedup::once");
}

async fn two_sets(mut connection: MultiplexedConnection, id: DeliveryId) {
    let key = format!("bare:{id}");
    let owner = Owner::random().expect("random bytes").to_string();
    for milliseconds in [LEASE, RETENTION].map(|time| time.as_millis() as u64) {
        let mut set = redis::cmd("SET");
        set.arg(&key).arg(&owner).arg("PX").arg(milliseconds);
        set.exec_async(&mut connection).await.expect("a server");
    }
}

/// Returns how often per second the work runs, with this many runs in flight.
async fn rate(in_flight: usize, first: u64, work: impl AsyncFn(DeliveryId)) -> f64 {
    let start = Instant::now();
    let lane = async |lane: usize| {
        let mut ids = Ids(first + ((lane as u64) << 15));
        let mut runs = 0;
        while start.elapsed() < ROUND {
            work(ids.next()).await;
            runs += 1;
        }
        runs
    };
    let lanes = futures_util::future::join_all((0..in_flight).map(lane)).await;
    lanes.into_iter().sum::<u32>() as f64 / start.elapsed().as_secs_f64()
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}
