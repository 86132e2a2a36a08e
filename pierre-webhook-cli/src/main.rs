#![doc = include_str!("../README.md")]

mod attack;
mod cli;
mod completions;
mod delivery;
mod escape;
mod exit;
mod explain;
mod http;
mod identity;
mod json_members;
mod listen;
mod mac;
mod output;
mod progress;
mod raw_http;
mod replay;
mod saved;
mod secrets;
mod send;
mod sign;
mod stdin;
mod time;
mod verifier;

use std::{
    process::{self, ExitCode},
    sync::Arc,
    time::Duration,
};

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
    runtime.spawn(end_after_interruption());
    let exit = runtime.block_on(async {
        match command {
            Command::Send(args) => send::run(*args, output).await,
            Command::Listen(args) => listen::run(args, output).await,
            Command::Explain(args) => explain::run(args, output).await,
            Command::Attack(args) => attack::run(*args, output).await,
            Command::Replay(args) => replay::run(args, output).await,
            Command::Sign(args) => sign::run(args, output).await,
            Command::Completions(args) => completions::run(&args, output),
        }
    });
    // A read of standard input that was interrupted goes on in a thread of its own: not waited for.
    runtime.shutdown_background();
    exit
}

/// Ctrl-C ends what does not listen for it too, such as a read of a pipe that nobody writes to.
async fn end_after_interruption() {
    /// For the last words of a command that does.
    const PATIENCE: Duration = Duration::from_secs(3);
    if tokio::signal::ctrl_c().await.is_ok() {
        tokio::time::sleep(PATIENCE).await;
        process::exit(Exit::Interrupted.code().into());
    }
}
