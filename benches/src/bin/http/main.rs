//! `cargo run --release --bin http`: what verification costs a server. Server and client are separate processes on
//! loopback, and the server has one worker. If `taskset` is found, each gets its own core.

mod client;
mod process;
mod servers;

use std::{env, time::Duration};

use client::{Load, Requests};
use process::Server;

const ROUNDS: usize = 15;
const ROUND: Duration = Duration::from_millis(500);
const WARM_UP: Duration = Duration::from_millis(100);
const CONNECTIONS: usize = 32;

/// The rates of the flood, in requests per second. Together they are below what a core can serve.
const GOOD_RATE: usize = 500;
const FORGED_RATE: usize = 9 * GOOD_RATE;

/// How many half-received requests are held open, to measure the memory of each.
const IN_FLIGHT: usize = 1000;

fn main() {
    if let Some(name) = env::args().skip_while(|argument| argument != "--serve").nth(1) {
        return servers::serve(&name);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        rates().await;
        flood().await;
        memory().await;
    });
}

/// Measures requests per second: medians of interleaved rounds. Each round starts new servers, because processes of the
/// same program differ in speed by as much as the effects that are measured.
async fn rates() {
    let mut samples = servers::NAMES.map(|_| Vec::new());
    for _ in 0..ROUNDS {
        for (name, samples) in servers::NAMES.into_iter().zip(&mut samples) {
            let server = Server::start(name);
            let load = |time| Load::full(server.address, Requests::good(name), CONNECTIONS, time);
            load(WARM_UP).await;
            samples.push(load(ROUND).await);
        }
    }
    let rates: Vec<f64> = samples
        .into_iter()
        .map(|mut samples| {
            samples.sort_by(f64::total_cmp);
            samples[samples.len() / 2]
        })
        .collect();
    let rate =
        |name| rates[servers::NAMES.iter().position(|other| *other == name).expect("a server")];
    println!("requests per second, {CONNECTIONS} connections, the documented push of 292 bytes");
    for (name, rate) in servers::NAMES.iter().zip(&rates) {
        println!("{name:<32}{rate:>10.0}");
    }
    println!("\n{:<52}{:>8}{:>8}", "", "ratio", "goal");
    for (ours, other, goal) in [
        ("axum", "axum-bare", Some(0.9)),
        ("actix", "actix-bare", Some(0.9)),
        ("axum", "tower-github-webhook", Some(1.0)),
        ("axum", "axum-github-webhook-extract", Some(1.0)),
        ("axum-10000-tenants", "axum-1-tenant", None),
    ] {
        let goal = goal.map(|goal: f64| goal.to_string()).unwrap_or_default();
        println!("{:<52}{:>8.3}{goal:>8}", format!("{ours}/{other}"), rate(ours) / rate(other));
    }
}

/// Measures how long valid requests take, alone and among nine times as many forged ones.
async fn flood() {
    println!(
        "\nlatency of {GOOD_RATE} valid requests per second, alone and with {FORGED_RATE} forged"
    );
    println!(
        "{:<32}{:>10}{:>10}{:>10}{:>10}{:>8}",
        "", "p50 µs", "p99 µs", "p50 µs", "p99 µs", "goal"
    );
    for name in ["axum", "actix"] {
        let server = Server::start(name);
        let good = || Load::paced(server.address, Requests::good(name), GOOD_RATE);
        let alone = good().await;
        let forged = Load::paced(server.address, Requests::forged(), FORGED_RATE);
        let (flooded, _) = tokio::join!(good(), forged);
        println!(
            "{name:<32}{:>10}{:>10}{:>10}{:>10}{:>8}",
            alone.p50, alone.p99, flooded.p50, flooded.p99, "2 × p99"
        );
    }
}

/// Measures the memory of a request whose body doesn't arrive.
async fn memory() {
    println!(
        "\nbytes of memory per request in flight, {IN_FLIGHT} of them, half the body received"
    );
    for name in ["axum-bare", "axum", "actix-bare", "actix"] {
        let server = Server::start(name);
        Load::full(server.address, Requests::good(name), CONNECTIONS, ROUND).await;
        let before = server.memory();
        let stalled = Load::stalled(server.address, &Requests::good(name), IN_FLIGHT).await;
        let after = server.memory();
        match (before, after) {
            (Some(before), Some(after)) => {
                println!("{name:<32}{:>10}", after.saturating_sub(before) / stalled.len());
            }
            _ => println!("{name:<32}{:>10}", "not measured on this system"),
        }
    }
}
