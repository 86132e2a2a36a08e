//! `send`: makes deliveries of one's own, signs them and sends them.

mod body;
mod curl;
mod header;
mod payload;
mod run;
mod set;
mod tree;

use std::sync::Arc;

use http::HeaderValue;
use jiff::SignedDuration;

pub(crate) use self::{
    body::BodyArg,
    payload::{Known, Seed},
};
use self::{
    body::{Bodies, Maker},
    header::Header,
    run::Run,
    set::Set,
};
use crate::{
    delivery::{Expected, RetryArgs},
    exit::{Exit, Failure},
    http::{ClientArgs, Target},
    output::Output,
    secrets::SecretArgs,
    time,
};

/// What `send` can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct SendArgs {
    /// The event type: push, repo.sync.started, repo.sync.succeeded or repo.sync.failed; any other one with --body
    #[arg(value_parser = event_type)]
    event: String,
    /// Where to, as in http://127.0.0.1:8787/webhooks. Redirects are not followed
    #[arg(required_unless_present = "print_body")]
    url: Option<Target>,

    /// Print the payload, to edit it and send it with --body, and send nothing
    #[arg(long, conflicts_with_all = ["body", "dry_run"], help_heading = "Delivery")]
    print_body: bool,
    /// Send these bytes as they stand: of a file (@file), or of standard input (-)
    #[arg(long, value_name = "@FILE|-", help_heading = "Delivery")]
    body: Option<BodyArg>,
    /// Change the payload: a JSON pointer and a JSON value, as in '/ref="refs/heads/x"'. Missing members are
    /// created. Repeatable
    #[arg(long, value_name = "POINTER=JSON", conflicts_with = "body", help_heading = "Delivery")]
    set: Vec<Set>,
    /// Add a header, or replace the usual one of this name; 'Name:' leaves it out. Repeatable
    #[arg(long, value_name = "NAME: VALUE", help_heading = "Delivery")]
    header: Vec<Header>,
    /// Sign as if it were so long ago; less than nothing (--age=-2m) is in the future
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = time::signed_duration,
        allow_hyphen_values = true, help_heading = "Delivery")]
    age: SignedDuration,
    /// Send the body in chunks, without a Content-Length
    #[arg(long, help_heading = "Delivery")]
    chunked: bool,
    /// Print the curl command that sends the same, and send nothing
    #[arg(long, help_heading = "Delivery")]
    dry_run: bool,

    /// How many deliveries to send, each with a body of its own unless there is a --body
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..),
        help_heading = "Run")]
    count: u64,
    /// How many of them at a time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..),
        help_heading = "Run")]
    concurrency: u16,
    /// The answers to expect, as in 2xx, 401 or 2xx,409; another one is a negative verdict, exit code 1
    #[arg(long, value_name = "STATUS", default_value = "2xx", help_heading = "Run")]
    expect: Expected,
    #[command(flatten)]
    retry: RetryArgs,
    #[command(flatten)]
    client: ClientArgs,
    #[command(flatten)]
    secret: SecretArgs,
}

pub(crate) async fn run(args: SendArgs, output: &Arc<Output>) -> Result<Exit, Failure> {
    if args.print_body {
        let maker = Maker::new(&args.event, args.set)?;
        let json = maker.print(run::happened_at(args.age), !output.is_json())?;
        output.raw(format!("{json}\n").as_bytes())?;
        return Ok(Exit::AsExpected);
    }
    let is_dry_run = args.dry_run;
    let secrets = args.secret.read()?;
    let bodies = match &args.body {
        Some(body) => Bodies::AsGiven(body.read().await?),
        None => Bodies::Made(Maker::new(&args.event, args.set.clone())?),
    };
    secrets.warn(output);
    let run = Run::new(args, bodies, secrets, Arc::clone(output))?;
    if is_dry_run { run.print_curl() } else { run.send().await }
}

/// Whatever a header can hold: whether it is an event type is the receiver's to judge.
fn event_type(text: &str) -> Result<String, String> {
    match HeaderValue::from_str(text) {
        Ok(_) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err("not the value of a header".to_owned()),
    }
}
