//! `attack`: sends a receiver what it must refuse and what it must accept, and sees whether it does.

mod answer;
mod cases;
mod consent;
mod exchange;
mod maker;
mod report;
mod verdict;

use std::{sync::Arc, time::Duration};

use self::{
    cases::{CASES, Case},
    exchange::exchange,
    maker::Maker,
    report::Reporter,
    verdict::{Expected, Got},
};
use crate::{
    exit::{Exit, Failure, until_interrupted},
    http::{Connector, Target, TrustArgs},
    output::Output,
    secrets::SecretArgs,
    time,
    verifier::VerifierArgs,
};

/// What `attack` can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct AttackArgs {
    /// The receiver, as in http://127.0.0.1:8787/webhooks
    #[arg(required_unless_present = "list")]
    url: Option<Target>,
    /// Print the cases, and send nothing
    #[arg(long)]
    list: bool,
    /// Only the cases whose name begins so. Repeatable
    #[arg(long, value_name = "CASE")]
    only: Vec<String>,
    /// Compare the status and the text of a refusal too, with those of this project's receivers
    #[arg(long)]
    exact: bool,
    /// Attack a host that is not this machine without asking
    #[arg(long)]
    yes: bool,
    /// How long to wait for an answer
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = time::duration, help_heading = "Connection")]
    timeout: Duration,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    verifier: VerifierArgs,
    #[command(flatten)]
    secret: SecretArgs,
}

pub(crate) async fn run(args: AttackArgs, output: &Arc<Output>) -> Result<Exit, Failure> {
    let cases = select(&args.only)?;
    if args.list {
        report::list(output, &cases)?;
        return Ok(Exit::AsExpected);
    }
    let target = args.url.clone().ok_or_else(|| Failure::usage("no URL"))?;
    let secrets = args.secret.read()?;
    secrets.warn(output);
    consent::ask(&target, args.yes, output).await?;
    let attack = Attack {
        connector: Connector::new(&args.trust, &target)?,
        maker: Maker::new(&args.verifier, &secrets)?,
        target,
        timeout: args.timeout,
        is_exact: args.exact,
    };
    let mut reporter = Reporter::new(output, cases.len());
    let finished = until_interrupted(attack.run(&cases, &mut reporter)).await;
    let is_interrupted = finished.is_none();
    finished.transpose()?;
    reporter.summary(is_interrupted)
}

fn select(only: &[String]) -> Result<Vec<&'static Case>, Failure> {
    for name in only {
        if !CASES.iter().flat_map(|cases| *cases).any(|case| case.name.starts_with(name)) {
            return Err(Failure::usage(format!("no case begins with {name}: see --list")));
        }
    }
    let is_selected =
        |case: &&Case| only.is_empty() || only.iter().any(|name| case.name.starts_with(name));
    Ok(CASES.iter().flat_map(|cases| *cases).filter(is_selected).collect())
}

struct Attack {
    connector: Connector,
    maker: Maker,
    target: Target,
    timeout: Duration,
    is_exact: bool,
}

impl Attack {
    async fn run(&self, cases: &[&Case], reporter: &mut Reporter<'_>) -> Result<(), Failure> {
        // Otherwise all refusals would be for a wrong secret or URL.
        let got = self.send_good().await;
        if !got.is_answer() {
            return Err(Failure::failed(format!("no answer to a good delivery: {}", got.text())));
        }
        if !Expected::Accepted.is_met_by(&got, false) {
            reporter.stopped_by(&got)?;
            return Ok(());
        }
        for case in cases {
            let Some(request) = (case.make)(&self.maker) else {
                reporter.skipped(case)?;
                continue;
            };
            let expected = case.expected.clone().unwrap_or_else(|| self.maker.expected(&request));
            let got = exchange(&self.connector, &self.target, &request, self.timeout).await;
            // Whatever a case did, the server must live.
            let after = self.send_good().await;
            reporter.case(case, &expected, &got, &after, self.is_exact)?;
            if matches!(after, Got::TimedOut | Got::Unreachable(_)) {
                break;
            }
        }
        Ok(())
    }

    async fn send_good(&self) -> Got {
        exchange(&self.connector, &self.target, &self.maker.good(), self.timeout).await
    }
}
