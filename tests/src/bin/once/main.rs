//! Checks over real HTTP that each delivery is handled once. Two server processes share one store. Senders send every
//! delivery three times and retry until they get a success, while a server or the store fails.
//!
//! `cargo run --release -p pierre-webhook-tests --bin once -- --deliveries 10000`
//!
//! The servers keep a journal of their handlers' runs. For each fault, the journals must show that no delivery was
//! lost, and that each one that was handled again was so for a reason that the fault may cause. The reasons are
//! counted in a table. The program needs loopback, and a `redis-server` or a PostgreSQL, unless the store is SQLite. It
//! stops every process that it started, however it ends.

mod append_only_file;
mod backend;
mod child;
mod connection;
mod deliveries;
mod faults;
mod histories;
mod journal;
mod lost_second;
mod phase;
mod postgres;
mod redis;
mod report;
mod senders;
mod server;
mod servers;
mod sqlite;
mod strike;
mod table;
mod tally;

use std::{env, fs, path::PathBuf, process::ExitCode, thread};

use tokio::runtime::Runtime;

use crate::{backend::Kind, phase::Phase, table::Table};

/// With fewer deliveries, all could be done before a fault happens.
const FEWEST: usize = 100;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (count, store) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--serve", store, address, work, journal, marks] => {
            let kind = Kind::named(store).expect("the name of a store");
            return server::serve(kind, address, work, journal, marks);
        }
        ["--deliveries", count] => (count, "redis"),
        ["--deliveries", count, "--store", store] => (count, store),
        _ => return usage(),
    };
    match (count.parse(), Kind::named(store)) {
        (Ok(count), Some(kind)) if count >= FEWEST => prove(count, kind),
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("once --deliveries <number, at least {FEWEST}> [--store redis|postgres|sqlite]");
    ExitCode::from(2)
}

fn prove(count: usize, kind: Kind) -> ExitCode {
    let mut directory = Directory::new();
    let runtime = Runtime::new().expect("a runtime");
    let mut table = Table::new();
    let mut is_good = true;

    for (number, fault) in faults::FAULTS.iter().chain(kind.faults()).enumerate() {
        let Some(store) = kind.start() else {
            eprintln!("once: the store is not installed, so nothing was checked");
            return ExitCode::FAILURE;
        };
        let journals = directory.path.join(format!("fault-{number}"));
        let phase = Phase::run(fault, store, &journals, &runtime, count);
        println!("{}", phase.report);
        is_good &= phase.report.is_good();
        table.add(fault.name, &phase.figures);
    }
    match kind {
        Kind::Redis => {
            let few = (count / 10).clamp(FEWEST, 1000);
            let lost = lost_second::report(&directory.path.join("lost-second"), &runtime, few);
            println!("{lost}");
            is_good &= lost.is_good();
        }
        Kind::Postgres | Kind::Sqlite => {}
    }
    println!("{table}");

    directory.is_kept = !is_good;
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
