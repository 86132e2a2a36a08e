//! `completions`: prints a shell completion script.

use clap_complete::Shell;

use crate::{
    exit::{Exit, Failure},
    output::Output,
};

/// The arguments of `completions`.
#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// The shell to print a script for
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the script that completes `command`.
pub(crate) fn run(
    args: &CompletionsArgs,
    mut command: clap::Command,
    output: &Output,
) -> Result<Exit, Failure> {
    if output.is_json() {
        return Err(Failure::usage("--json does not apply to completions"));
    }
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "pierre-webhook", &mut script);
    output.raw(&script)?;
    Ok(Exit::AsExpected)
}
