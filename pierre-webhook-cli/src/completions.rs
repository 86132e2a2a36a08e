//! `completions`: a script that completes the command line.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::{
    cli::Cli,
    exit::{Exit, Failure},
    output::Output,
};

/// What `completions` can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// The shell that reads it
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: &CompletionsArgs, output: &Output) -> Result<Exit, Failure> {
    if output.is_json() {
        return Err(Failure::usage("a completion script cannot be had as --json"));
    }
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "pierre-webhook", &mut script);
    output.raw(&script)?;
    Ok(Exit::AsExpected)
}
