//! The command line.

use std::env;

use clap::{
    ColorChoice, CommandFactory as _, FromArgMatches as _, Parser, Subcommand,
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::{
    attack::AttackArgs, completions::CompletionsArgs, escape, explain::ExplainArgs,
    listen::ListenArgs, output::OutputArgs, replay::ReplayArgs, secrets::VARIABLE, send::SendArgs,
    sign::SignArgs,
};

const EXIT_CODES: &str = "\
Exit codes:
  0    as expected
  1    a negative verdict: another answer than the expected one, a refused delivery
  2    the command line cannot be followed, or there is no secret
  3    unreachable, timed out, or not readable or writable; outranks 1
  130  interrupted

The secret comes from PIERRE_WEBHOOK_SECRET or from --secret-file, never from an argument.";

/// Sends, receives, explains and replays Code Storage (Pierre) webhooks on your machine.
#[derive(Debug, Parser)]
#[command(name = "pierre-webhook", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

impl Cli {
    /// Reads the command line, or ends the process with what is wrong about it.
    pub(crate) fn read() -> Self {
        let matches = Self::command().color(color()).try_get_matches();
        matches
            .and_then(|matches| Self::from_arg_matches(&matches))
            .unwrap_or_else(|error| fit_to_print(error).exit())
    }
}

/// An error repeats what was typed: escaped here, and without what may be the secret.
fn fit_to_print(mut error: clap::Error) -> clap::Error {
    const SHORTEST: usize = 8;
    let secret = env::var(VARIABLE).ok().filter(|secret| secret.len() >= SHORTEST);
    let is_too_much = error.kind() == ErrorKind::UnknownArgument;
    let fit = |text: &str| match &secret {
        _ if is_too_much && !text.starts_with('-') => "…".to_owned(),
        Some(secret) if text.contains(secret) => "…".to_owned(),
        _ => escape::text(text),
    };
    let context: Vec<_> = error.context().map(|(kind, value)| (kind, value.clone())).collect();
    for (kind, value) in context {
        let fitted = match &value {
            ContextValue::String(text) => ContextValue::String(fit(text)),
            ContextValue::Strings(texts) => {
                ContextValue::Strings(texts.iter().map(|text| fit(text)).collect())
            }
            _ => continue,
        };
        if fitted != value {
            // It would be repeated in clap's suggestion.
            error.remove(ContextKind::Suggested);
            error.insert(kind, fitted);
        }
    }
    error
}

/// `--color` is for the help and the errors too, which are printed before it is read.
fn color() -> ColorChoice {
    let args: Vec<_> = env::args_os().take_while(|arg| arg != "--").collect();
    let is_given = |choice: &str| {
        args.iter().any(|arg| *arg == *format!("--color={choice}"))
            || args
                .windows(2)
                .any(|pair| matches!(pair, [name, value] if name == "--color" && value == choice))
    };
    if is_given("always") {
        ColorChoice::Always
    } else if is_given("never") {
        ColorChoice::Never
    } else {
        ColorChoice::Auto
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Send a delivery of your own, signed with your secret
    Send(Box<SendArgs>),
    /// Receive deliveries, and say of each whether it verifies and why not
    Listen(ListenArgs),
    /// Say why a delivery is refused, and prove what was changed where its signature is wrong
    Explain(ExplainArgs),
    /// Send what must be refused, and see whether it is
    Attack(Box<AttackArgs>),
    /// Send saved deliveries again
    Replay(ReplayArgs),
    /// Print the X-Pierre-Signature value of the body on standard input
    Sign(SignArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
}
