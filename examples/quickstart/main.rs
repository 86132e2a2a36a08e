//! Shows what is accepted and what is refused, by a real axum server and a real actix server.
//!
//! ```sh
//! cargo run --bin quickstart
//! cargo run --bin quickstart -- --listen 127.0.0.1:8787
//! ```
//!
//! Without arguments it checks itself: it exits with 0 only if each answer is the one that deliveries.rs
//! says. It needs no network but loopback.

mod check;
mod client;
mod deliveries;
mod describe;
mod listen;
mod outcome;
mod servers;
#[path = "../shutdown.rs"]
mod shutdown;

use std::{env, error::Error, process::ExitCode};

const USAGE: &str = "\
usage: quickstart                      send deliveries to an axum and an actix server, show the answers
       quickstart --listen ADDRESS     stay up and print what arrives, as in --listen 127.0.0.1:8787

With --listen the signing secret is that in PIERRE_WEBHOOK_SECRET, or one that is made and printed.";

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
        ["--listen"] => refuse("--listen needs an address"),
        [..] => refuse(&format!("not understood: {}", arguments.join(" ").escape_debug())),
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

fn refuse(arguments: &str) -> ExitCode {
    eprintln!("quickstart: {arguments}\n\n{USAGE}");
    ExitCode::from(2)
}
