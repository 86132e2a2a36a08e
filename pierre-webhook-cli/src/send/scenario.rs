//! `send --scenario FILE`: a session of several deliveries, in order.
//!
//! Each line is read as a command line of its own, so it has the options that `send` has.

use std::{fs, path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use clap::Parser as _;
use tokio::time::sleep;

use super::{
    args::{DeliveryArgs, SendArgs, event_type},
    prepared::Prepared,
};
use crate::{
    client::{ClientArgs, Target},
    delivery::{AttemptReporter, ExpectedStatus, SignedRequest},
    exit::{Exit, Failure, until_interrupted},
    output::Output,
    payload::Seed,
    redact::redact,
    secrets::{SecretArgs, Secrets},
    time,
};

/// A line of the file.
#[derive(Debug, clap::Parser)]
#[command(no_binary_name = true, disable_help_flag = true, disable_help_subcommand = true)]
enum Line {
    Send(Box<SendLine>),
    /// Sends the last delivery again.
    Again(AgainLine),
    Wait(WaitLine),
}

#[derive(Debug, clap::Args)]
struct SendLine {
    #[arg(value_parser = event_type)]
    event: String,
    #[command(flatten)]
    delivery: DeliveryArgs,
    #[command(flatten)]
    secret: SecretArgs,
}

#[derive(Debug, clap::Args)]
struct AgainLine {
    #[arg(long)]
    resigned: bool,
    #[arg(long, value_name = "STATUS", default_value = "2xx")]
    expect: ExpectedStatus,
}

#[derive(Debug, clap::Args)]
struct WaitLine {
    #[arg(value_parser = time::duration)]
    duration: Duration,
}

/// A line that is ready to be executed.
enum Step {
    Send(Box<Prepared>),
    Again { is_resigned: bool, expected: ExpectedStatus },
    Wait(Duration),
}

/// Runs the scenario of a file. Every line is checked before the first delivery is sent.
pub(super) async fn run(
    args: SendArgs,
    path: &Path,
    output: &Arc<Output>,
) -> Result<Exit, Failure> {
    let target: Target = match args.url {
        // The only argument is the URL.
        None => args.event.parse().map_err(|why| Failure::usage(format!("the URL is {why}")))?,
        Some(_) => {
            return Err(Failure::usage("with --scenario, the only argument is the URL"));
        }
    };
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::io(format_args!("cannot read {}", path.display()), &error))?;
    let secrets = Arc::new(args.secret.read()?);
    secrets.warn(output);
    let steps = steps(&text, &secrets, (&args.client, &target)).await?;
    let total = steps.iter().map(Step::deliveries).fold(0, u64::saturating_add);
    if total == 0 {
        return Err(Failure::usage(format!("{} sends nothing", path.display())));
    }
    let reporter = AttemptReporter::showing_all(Arc::clone(output), total);
    let finished = until_interrupted(play(&steps, &reporter)).await;
    let is_interrupted = finished.is_none();
    finished.transpose()?;
    reporter.summary(is_interrupted)
}

impl Step {
    fn deliveries(&self) -> u64 {
        match self {
            Self::Send(prepared) => prepared.args.count,
            Self::Again { .. } => 1,
            Self::Wait(_) => 0,
        }
    }
}

async fn steps(
    text: &str,
    secrets: &Arc<Secrets>,
    receiver: (&ClientArgs, &Target),
) -> Result<Vec<Step>, Failure> {
    // One seed for all, so that each push starts where the one before ended.
    let seed = Seed::random()?;
    let mut steps = Vec::new();
    let mut has_sent = false;
    for (number, line) in (1_usize..).zip(text.lines()) {
        let wrong = |why: &str| Failure::usage(format!("line {number}: {why}"));
        let words = shlex::split(line).ok_or_else(|| wrong("a quote is not closed"))?;
        if words.is_empty() {
            continue;
        }
        let step = match Line::try_parse_from(words).map_err(|error| wrong(&reason(error)))? {
            Line::Wait(WaitLine { duration }) => Step::Wait(duration),
            Line::Again(_) if !has_sent => return Err(wrong("nothing was sent before")),
            Line::Again(AgainLine { resigned, expect }) => {
                Step::Again { is_resigned: resigned, expected: expect }
            }
            Line::Send(send) => {
                let SendLine { event, delivery, secret } = *send;
                let of_line = secret.is_given().then(|| secret.read()).transpose();
                let secrets = match of_line.map_err(|failure| at_line(number, failure))? {
                    Some(secrets) => Arc::new(secrets),
                    None => Arc::clone(secrets),
                };
                let prepared = Prepared::new(event, delivery, secrets, receiver, seed).await;
                has_sent = true;
                Step::Send(Box::new(prepared.map_err(|failure| at_line(number, failure))?))
            }
        };
        steps.push(step);
    }
    Ok(steps)
}

fn at_line(number: usize, failure: Failure) -> Failure {
    Failure { text: failure.text.map(|text| format!("line {number}: {text}")), ..failure }
}

/// Returns the first line of clap's error: the rest is about the command line.
fn reason(error: clap::Error) -> String {
    let text = redact(error).render().to_string();
    let first = text.lines().next().unwrap_or_default();
    first.strip_prefix("error: ").unwrap_or(first).to_owned()
}

/// What `again` repeats.
struct Sent<'a> {
    prepared: &'a Prepared,
    body: Bytes,
    signed: SignedRequest,
}

async fn play(steps: &[Step], reporter: &AttemptReporter) -> Result<(), Failure> {
    let mut n = 0_u64;
    let mut sent: Option<Sent<'_>> = None;
    for step in steps {
        match step {
            Step::Wait(duration) => sleep(*duration).await,
            Step::Again { is_resigned, expected } => {
                let Some(Sent { prepared, body, signed }) = &sent else { continue };
                n = n.saturating_add(1);
                let signed = if *is_resigned { prepared.sign(body) } else { signed.clone() };
                let outcome = prepared.route.deliver_once(n, signed, expected, reporter).await?;
                reporter.ended(outcome);
            }
            Step::Send(prepared) => {
                for _ in 0..prepared.args.count {
                    n = n.saturating_add(1);
                    let body = prepared.body(n)?;
                    let signed = prepared.sign(&body);
                    prepared.deliver(n, &body, signed.clone(), reporter).await?;
                    sent = Some(Sent { prepared, body, signed });
                }
            }
        }
    }
    Ok(())
}
