//! Checks over real HTTP that each delivery is handled once. Two server processes share one Redis. Senders send every
//! delivery three times and retry until they get a success, while the servers and Redis are killed.
//!
//! `cargo run --release -p pierre-webhook-tests --bin once -- --deliveries 10000`
//!
//! The servers keep a journal of their handlers' runs. The journals must show that no delivery was lost, and none was
//! handled again after its completion was recorded. The program needs loopback and a `redis-server`. It stops every
//! process that it started, however it ends.

mod append_only_file;
mod child;
mod connection;
mod deliveries;
mod faults;
mod histories;
mod journal;
mod lost_second;
mod report;
mod senders;
mod server;
mod servers;
mod tally;

use std::{env, fs, path::PathBuf, process::ExitCode, thread};

use pierre_webhook_tests::redis_server::RedisServer;
use tokio::runtime::Runtime;

/// With fewer deliveries, all could be done before a fault happens.
const FEWEST: usize = 100;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--serve", redis, journal, failed] => server::serve(redis, journal, failed),
        ["--deliveries", count] => match count.parse() {
            Ok(count) if count >= FEWEST => prove(count),
            _ => usage(),
        },
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("once --deliveries <number, at least {FEWEST}>");
    ExitCode::from(2)
}

fn prove(count: usize) -> ExitCode {
    let Some(redis) = RedisServer::persistent() else {
        eprintln!("once: `redis-server` is not installed, so nothing was checked");
        return ExitCode::FAILURE;
    };
    let mut directory = Directory::new();
    let runtime = Runtime::new().expect("a runtime");

    let faults = faults::report(redis, &directory.path.join("faults"), &runtime, count);
    println!("{faults}");
    let few = (count / 10).clamp(FEWEST, 1000);
    let lost_second = lost_second::report(&directory.path.join("lost-second"), &runtime, few);
    println!("{lost_second}");

    directory.is_kept = !(faults.is_good() && lost_second.is_good());
    if directory.is_kept {
        println!("FAILED; the journals are kept in {}", directory.path.display());
        return ExitCode::FAILURE;
    }
    println!("all good");
    ExitCode::SUCCESS
}

/// The directory of the journals. It is removed at the end, unless a check failed.
struct Directory {
    path: PathBuf,
    is_kept: bool,
}

impl Directory {
    fn new() -> Self {
        let path = env::temp_dir().join(format!("pierre-webhook-once-{}", std::process::id()));
        fs::create_dir(&path).expect("a directory");
        Self { path, is_kept: false }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if !self.is_kept && !thread::panicking() {
            // If that fails, the system cleans up the rest.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
