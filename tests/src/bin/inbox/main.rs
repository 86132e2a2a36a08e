//! Checks over real HTTP that no acknowledged delivery is lost, and that effects in the transaction of `complete_in`
//! take place exactly once. Two receivers and two workers, each a process of its own, share one database. Meanwhile
//! they, and PostgreSQL, are killed, suspended for longer than a lease, and restarted, at random, until everything is
//! processed, which must happen within a minute and 60 ms for each delivery.
//!
//! `cargo run --release -p pierre-webhook-tests --bin inbox -- --deliveries 10000 [--store postgres]`
//!
//! Each sender has a repository. It sends a delivery until that is answered with 200, then the next one, and some a
//! second time. A worker's run is written down when it starts; its effect is a row in the transaction that completes
//! the delivery. In the end, the rows must show that nothing was lost, doubled, or run in another order.
//! `--unfenced` commits effects whatever `complete_in` returns: then the check must fail.

mod child;
mod faults;
mod receiver;
mod senders;
mod storage;
mod verdict;
mod worker;

use std::{
    env,
    process::ExitCode,
    time::{Duration, Instant},
};

use tokio::runtime::Runtime;

use crate::{
    child::Child,
    faults::Faults,
    senders::Senders,
    storage::{Server, Storage},
};

/// With fewer deliveries, all could be done before a fault happens.
const FEWEST: usize = 100;

/// Everything must be processed within this time, and so much for each delivery.
const LIMIT: Duration = Duration::from_secs(60);
const LIMIT_OF_EACH: Duration = Duration::from_millis(60);

struct Options {
    deliveries: usize,
    store: String,
    seed: u64,
    is_unfenced: bool,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--receive", storage, port] => {
            receiver::run(&Storage::named(storage), port.parse().expect("a port"));
            ExitCode::SUCCESS
        }
        ["--work", storage, mode] => {
            worker::run(&Storage::named(storage), mode == "unfenced");
            ExitCode::SUCCESS
        }
        _ => match options(&arguments) {
            Some(options) => prove(&options),
            None => {
                eprintln!(
                    "inbox --deliveries <number, at least {FEWEST}> [--store sqlite|postgres] \
                     [--seed <number>] [--unfenced]"
                );
                ExitCode::from(2)
            }
        },
    }
}

fn options(arguments: &[String]) -> Option<Options> {
    let mut options = Options {
        deliveries: 0,
        store: "sqlite".to_owned(),
        seed: faults::random_seed(),
        is_unfenced: false,
    };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--deliveries" => options.deliveries = arguments.next()?.parse().ok()?,
            "--store" => options.store = arguments.next()?.clone(),
            "--seed" => options.seed = arguments.next()?.parse().ok()?,
            "--unfenced" => options.is_unfenced = true,
            _ => return None,
        }
    }
    let is_valid =
        options.deliveries >= FEWEST && ["sqlite", "postgres"].contains(&options.store.as_str());
    is_valid.then_some(options)
}

fn prove(options: &Options) -> ExitCode {
    let Some(mut server) = Server::start(&options.store) else {
        eprintln!("inbox: the database is not installed, so nothing was checked");
        return ExitCode::FAILURE;
    };
    let storage = server.storage();
    storage.create_tables();
    println!("{} deliveries, {}, seed {}", options.deliveries, options.store, options.seed);

    let start = Instant::now();
    let mode = if options.is_unfenced { "unfenced" } else { "fenced" };
    let mut receivers = [(); 2].map(|()| Child::receiver(&storage));
    let mut workers = [(); 2].map(|()| Child::worker(&storage, mode));
    let senders = Senders::start(options.deliveries, receivers.each_ref().map(Child::port));
    let mut faults = Faults::new(options.seed);
    let runtime = Runtime::new().expect("a runtime");
    let inbox = runtime.block_on(storage.open());
    let limit = LIMIT + LIMIT_OF_EACH * u32::try_from(options.deliveries).unwrap_or(u32::MAX);
    let mut acknowledged_after = None;
    loop {
        faults.strike(&mut receivers, &mut workers, &mut server);
        if senders.are_done() {
            acknowledged_after.get_or_insert_with(|| start.elapsed());
            if runtime.block_on(Storage::is_worked_off(&inbox)) {
                break;
            }
        }
        if start.elapsed() > limit {
            println!("FAILED: not processed after {limit:?}; faults: {faults}");
            return ExitCode::FAILURE;
        }
    }
    let sent = senders.join();

    println!("faults: {faults}");
    println!(
        "{} acknowledged in {:.1?}, processed in {:.1?}, {} requests",
        sent.acknowledged.len(),
        acknowledged_after.unwrap_or_default(),
        start.elapsed(),
        sent.requests
    );
    let verdict = storage.verdict(&sent.acknowledged);
    println!("{verdict}");
    if verdict.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
