//! Shows what a real axum server and a real actix server accept and reject.
//! Then stores deliveries in an inbox, and processes them.
//!
//! ```sh
//! cargo run --bin quickstart
//! cargo run --bin quickstart -- --listen 127.0.0.1:8787
//! ```
//!
//! Without arguments it checks itself: it exits with 0 only if every response is the one in deliveries.rs. It needs
//! only the loopback network.

mod check;
mod client;
mod deliveries;
mod describe;
mod inbox;
mod listen;
mod outcome;
mod servers;
#[path = "../shutdown.rs"]
mod shutdown;

use std::{env, error::Error, process::ExitCode};

const USAGE: &str = "\
usage: quickstart                      send deliveries to an axum and an actix server, print the results
       quickstart --listen ADDRESS     keep running and print what arrives, e.g. --listen 127.0.0.1:8787

With --listen, PIERRE_WEBHOOK_SECRET is the signing secret. If it is unset, one is generated and printed.";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> =
        env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *arguments {
        [] => exit_code(check::run().await),
        ["--listen", address] => exit_code(listen::run(address).await.map(|()| true)),
        ["--help" | "-h"] => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        ["--listen"] => usage_error("--listen needs an address"),
        [..] => usage_error(&format!("unknown arguments: {}", arguments.join(" ").escape_debug())),
    }
}

fn exit_code(result: Result<bool, Box<dyn Error>>) -> ExitCode {
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("quickstart: {error}");
            ExitCode::FAILURE
        }
    }
}

fn usage_error(message: &str) -> ExitCode {
    eprintln!("quickstart: {message}\n\n{USAGE}");
    ExitCode::from(2)
}
