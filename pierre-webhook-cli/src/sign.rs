//! `sign`: prints the signature header's value for a body.

use std::io::{self, IsTerminal as _};

use jiff::SignedDuration;
use serde::Serialize;

use crate::{
    exit::{Exit, Failure},
    output::Output,
    secrets::SecretArgs,
    stdin, time,
};

/// The arguments of `sign`.
#[derive(Debug, clap::Args)]
pub(crate) struct SignArgs {
    /// The time of the signature: Unix seconds, or a time such as 2026-03-17T10:00:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = time::unix_seconds, allow_hyphen_values = true)]
    at: Option<u64>,
    #[command(flatten)]
    secret: SecretArgs,
}

#[derive(Serialize)]
struct Record<'a> {
    signature: &'a str,
    signed_at: u64,
}

pub(crate) async fn run(args: SignArgs, output: &Output) -> Result<Exit, Failure> {
    let secrets = args.secret.read()?;
    secrets.warn(output);
    if io::stdin().is_terminal() {
        output.note("reading the body from standard input");
    }
    let body = stdin::read().await?;
    let signed_at = args.at.unwrap_or_else(|| time::signed_at(SignedDuration::ZERO));
    let signature = secrets.signing().sign(signed_at, &body);
    output.record(&Record { signature: &signature, signed_at })?;
    output.data(&signature)?;
    Ok(Exit::AsExpected)
}
