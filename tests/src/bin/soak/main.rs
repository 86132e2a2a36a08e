//! Sends valid and hostile traffic at full speed to both servers, each in a process of its own:
//!
//! `cargo run --release -p pierre-webhook-tests --bin soak -- --seconds 600`
//!
//! Fails if a response is wrong, if memory grows after the first tenth of the time, or if descriptors stay open. It
//! needs only loopback, and stops its servers however it ends.

mod child;
mod client;
mod report;
mod streams;
mod traffic;

use std::{
    env,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use child::{Child, serve};
use client::Client;
use report::Report;
use traffic::Traffic;

const CLIENTS_PER_SERVER: u64 = 4;
const TENTHS: u32 = 10;
/// A client stops after this many wrong responses.
const ENOUGH: usize = 100;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--serve", name] => serve(name),
        ["--seconds", seconds] => match seconds.parse() {
            Ok(seconds) if seconds > 0 => soak(Duration::from_secs(seconds)),
            _ => usage(),
        },
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("soak --seconds <number>");
    ExitCode::from(2)
}

fn soak(time: Duration) -> ExitCode {
    let traffic = &Traffic::new();
    let reports = thread::scope(|scope| {
        let servers =
            ["axum", "actix"].map(|name| scope.spawn(move || against(name, traffic, time)));
        servers.map(|server| server.join().expect("a report"))
    });
    for report in &reports {
        println!("\n{report}");
    }
    if reports.iter().all(Report::is_good) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn against(name: &'static str, traffic: &Traffic, time: Duration) -> Report {
    let server = Child::start(name);
    let mut report = Report::new(name);

    // Each kind of traffic once, so that everything that is opened or allocated only once is there.
    let mut first = Client::new(server.address, traffic, 0);
    first.each_once();
    report.add(first.end());
    report.open_at_start = server.settled_descriptors(None);
    report.resident.push(server.resident());

    let start = Instant::now();
    let end = start + time;
    thread::scope(|scope| {
        let clients: Vec<_> = (1..=CLIENTS_PER_SERVER)
            .map(|seed| {
                let mut client = Client::new(server.address, traffic, seed);
                scope.spawn(move || {
                    while Instant::now() < end && client.wrong() < ENOUGH {
                        client.one();
                    }
                    client.end()
                })
            })
            .collect();
        for tenth in 1..=TENTHS {
            thread::sleep(
                (start + time * tenth / TENTHS).saturating_duration_since(Instant::now()),
            );
            report.resident.push(server.resident());
            println!("{name}: {}", report.tenth());
        }
        for client in clients {
            report.add(client.join().expect("a client catches what it finds"));
        }
    });
    report.seconds = start.elapsed().as_secs_f64();
    report.open_at_end = server.settled_descriptors(report.open_at_start);
    report.resident.push(server.resident());
    report.handled = server.end();
    report
}
