//! `attack`: sends a receiver deliveries that it must reject or accept, and checks that it does.

mod answer;
mod case;
mod case_result;
mod cases;
mod consent;
mod exchange;
mod raw_request;
mod report;
mod request_maker;
mod verdict;

use std::{sync::Arc, time::Duration};

use self::{
    case::Case,
    case_result::CaseResult,
    exchange::exchange,
    report::CaseReporter,
    request_maker::RequestMaker,
    verdict::{Expectation, Reaction},
};
use crate::{
    client::{Connector, Target, TrustArgs},
    exit::{Exit, Failure, until_interrupted},
    output::Output,
    secrets::SecretArgs,
    time,
    verifier::VerifierArgs,
};

/// The arguments of `attack`.
#[derive(Debug, clap::Args)]
pub(crate) struct AttackArgs {
    /// The receiver, as in http://127.0.0.1:8787/webhooks
    #[arg(required_unless_present = "list")]
    url: Option<Target>,
    /// List the cases instead of sending anything
    #[arg(long)]
    list: bool,
    /// Run only the cases whose name starts with this. Repeatable
    #[arg(long, value_name = "CASE")]
    only: Vec<String>,
    /// Compare the status and text of each rejection with those of this project's receivers
    #[arg(long)]
    exact: bool,
    /// Attack a host other than this machine without asking
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
        maker: RequestMaker::new(&args.verifier, &secrets)?,
        target,
        timeout: args.timeout,
        is_exact: args.exact,
    };
    let mut reporter = CaseReporter::new(output, cases.len());
    let finished = until_interrupted(attack.run(&cases, &mut reporter)).await;
    let is_interrupted = finished.is_none();
    finished.transpose()?;
    reporter.summary(is_interrupted)
}

/// Returns the cases whose name starts with one of `only`, or all of them.
fn select(only: &[String]) -> Result<Vec<&'static Case>, Failure> {
    for name in only {
        if !cases::all().any(|case| case.name.starts_with(name)) {
            return Err(Failure::usage(format!("no case starts with {name}: see --list")));
        }
    }
    let is_selected =
        |case: &&Case| only.is_empty() || only.iter().any(|name| case.name.starts_with(name));
    Ok(cases::all().filter(is_selected).collect())
}

struct Attack {
    connector: Connector,
    maker: RequestMaker,
    target: Target,
    timeout: Duration,
    is_exact: bool,
}

impl Attack {
    async fn run(&self, cases: &[&Case], reporter: &mut CaseReporter<'_>) -> Result<(), Failure> {
        // With a wrong secret or URL, every case would be rejected for the wrong reason.
        let first = self.send_good().await;
        if !first.is_answer() {
            return Err(Failure::failed(format!("no answer to a good delivery: {}", first.text())));
        }
        if !Expectation::Accepted.is_met_by(&first, false) {
            return reporter.good_rejected(&first);
        }
        for case in cases {
            let Some(request) = (case.make)(&self.maker) else {
                reporter.skipped(case)?;
                continue;
            };
            let expected = case.expected.clone().unwrap_or_else(|| self.maker.expected(&request));
            let got = exchange(&self.connector, &self.target, &request, self.timeout).await;
            // The server must survive every case.
            let after = self.send_good().await;
            reporter.case(&CaseResult {
                case,
                expected: &expected,
                got: &got,
                after: &after,
                is_exact: self.is_exact,
            })?;
            if matches!(after, Reaction::TimedOut | Reaction::Unreachable(_)) {
                break;
            }
        }
        Ok(())
    }

    async fn send_good(&self) -> Reaction {
        exchange(&self.connector, &self.target, &self.maker.good(), self.timeout).await
    }
}
