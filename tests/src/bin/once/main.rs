//! Each delivery handled once, over real HTTP: two server processes share one Redis, senders send everything
//! three times and retry until they are answered with success, and meanwhile a server and Redis are killed.
//!
//! `cargo run --release -p pierre-webhook-tests --bin once -- --deliveries 10000`
//!
//! The servers keep a journal of their handlers' runs, from which it is read afterwards that no delivery was
//! lost and none handled again after its completion was recorded. It needs loopback and a `redis-server`, and
//! ends what it started, however it ends.

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

/// With fewer, a fault could come when all is done.
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
    eprintln!("once --deliveries <how many, {FEWEST} at least>");
    ExitCode::from(2)
}

fn prove(count: usize) -> ExitCode {
    let Some(redis) = RedisServer::persistent() else {
        eprintln!("once: needs `redis-server`, which is not installed: nothing was checked");
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

/// Where the journals are. Removed in the end, unless something was found.
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
            // What is left is the system's to clear.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
