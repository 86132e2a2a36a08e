#![doc = include_str!("../README.md")]

mod attack;
mod cli;
mod client;
mod completions;
mod delivery;
mod escape;
mod exit;
mod explain;
mod hex;
#[cfg(feature = "inbox")]
mod inbox;
mod json_members;
mod listen;
mod mac;
mod man;
mod output;
mod payload;
mod problem;
mod raw_http;
mod redact;
mod replay;
mod saved;
mod secrets;
mod send;
mod short_id;
mod sign;
mod stdin;
mod time;
mod verifier;

use std::{
    process::{self, ExitCode},
    sync::Arc,
    time::Duration,
};

use clap::CommandFactory as _;
use tokio::runtime::Runtime;

use crate::{
    cli::{Cli, Command},
    exit::{Exit, Failure},
    output::Output,
};

fn main() -> ExitCode {
    let cli = Cli::read();
    let output = Arc::new(Output::new(cli.output));
    let exit = run(cli.command, &output).unwrap_or_else(|failure| {
        if let Some(text) = failure.text {
            output.error(&text);
        }
        failure.exit
    });
    ExitCode::from(exit.code())
}

fn run(command: Command, output: &Arc<Output>) -> Result<Exit, Failure> {
    let runtime = Runtime::new().map_err(|error| Failure::io("cannot start", &error))?;
    runtime.spawn(exit_after_interruption());
    let exit = runtime.block_on(async {
        match command {
            Command::Send(args) => send::run(*args, output).await,
            Command::Listen(args) => listen::run(args, output).await,
            Command::Explain(args) => explain::run(args, output).await,
            Command::Attack(args) => attack::run(*args, output).await,
            Command::Replay(args) => replay::run(args, output).await,
            Command::Sign(args) => sign::run(args, output).await,
            #[cfg(feature = "inbox")]
            Command::Inbox(args) => inbox::run(args, output).await,
            Command::Completions(args) => completions::run(&args, Cli::command(), output),
            Command::Man(args) => man::run(&args, Cli::command(), output),
        }
    });
    // An interrupted read of standard input still blocks its thread, so don't wait for it.
    runtime.shutdown_background();
    exit
}

/// Ends the process if a command doesn't react to Ctrl-C, such as one that reads a pipe nobody writes to.
async fn exit_after_interruption() {
    /// Leaves a command that does react time for its summary.
    const GRACE: Duration = Duration::from_secs(3);
    if tokio::signal::ctrl_c().await.is_ok() {
        tokio::time::sleep(GRACE).await;
        process::exit(Exit::Interrupted.code().into());
    }
}
