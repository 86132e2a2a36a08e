//! The command line: its commands, and how clap reads it.

use anstream::ColorChoice;
use clap::{Arg, ArgAction, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::{
    attack::AttackArgs, completions::CompletionsArgs, explain::ExplainArgs, listen::ListenArgs,
    man::ManArgs, output::OutputArgs, redact::redact, replay::ReplayArgs, send::SendArgs,
    sign::SignArgs,
};

const EXIT_CODES: &str = "\
Exit codes:
  0    everything went as expected
  1    negative verdict: an unexpected answer, a rejected delivery, a failed case
  2    invalid command line, or no secret
  3    unreachable, timed out, or an I/O error; takes precedence over 1
  130  interrupted

The secret is read from PIERRE_WEBHOOK_SECRET or --secret-file. It is never accepted as an argument.";

/// Send, receive, explain and replay Code Storage (Pierre) webhooks on your machine.
#[derive(Debug, Parser)]
#[command(name = "pierre-webhook", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Send deliveries signed with your secret
    Send(Box<SendArgs>),
    /// Receive deliveries, and report whether each one verifies
    Listen(ListenArgs),
    /// Explain why a delivery is rejected, and prove what broke its signature
    ///
    /// The rules are numbered as in book/src/protocol.md, which says what each one checks.
    Explain(ExplainArgs),
    /// Check that a receiver rejects forged and malformed deliveries
    Attack(Box<AttackArgs>),
    /// Send saved deliveries again
    Replay(ReplayArgs),
    /// Print the X-Pierre-Signature value for the body on standard input
    Sign(SignArgs),
    /// Show what waits in an inbox and what is dead, and retry, discard or prune it
    #[cfg(feature = "inbox")]
    Inbox(crate::inbox::InboxArgs),
    /// Print a shell completion script
    Completions(CompletionsArgs),
    /// Write the manual pages into a folder
    Man(ManArgs),
}

impl Cli {
    /// Reads the command line. If it asks for help or is invalid, prints that and ends the process.
    pub(crate) fn read() -> Self {
        color_choice().write_global();
        Self::try_parse().unwrap_or_else(|error| redact(error).exit())
    }
}

/// Reads `--color` ahead of the real parse, which stops at `--help` and prints it.
fn color_choice() -> ColorChoice {
    let flag = |name: &'static str, short| {
        Arg::new(name).long(name).short(short).action(ArgAction::SetTrue).global(true)
    };
    let lenient = Cli::command()
        .ignore_errors(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args([flag("help", 'h'), flag("version", 'V')]);
    let output = lenient.try_get_matches().ok();
    let output = output.and_then(|matches| OutputArgs::from_arg_matches(&matches).ok());
    output.map_or(ColorChoice::Auto, |output| output.color_choice())
}
