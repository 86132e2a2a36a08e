//! `explain`: why a delivery is rejected, rule by rule, and what broke its signature.

mod diff;
mod dump;
mod forms;
mod macs;
mod read;
mod report;
mod request;
mod rules;
mod search;

use std::{path::PathBuf, sync::Arc};

use jiff::Timestamp;

use self::{
    request::RecordedRequest,
    rules::Judgment,
    search::{Finding, search},
};
use crate::{
    exit::{Exit, Failure, until_interrupted},
    output::Output,
    payload::BodyArg,
    secrets::SecretArgs,
    time,
    verifier::VerifierArgs,
};

/// The arguments of `explain`.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["file", "signature", "wire"]))]
pub(crate) struct ExplainArgs {
    /// A delivery saved by `listen`, or the dump of an HTTP request; - reads standard input
    file: Option<PathBuf>,
    /// The value of X-Pierre-Signature
    #[arg(long, value_name = "VALUE", requires_all = ["event", "body"], help_heading = "By parts")]
    signature: Option<String>,
    /// The value of X-Pierre-Event
    #[arg(long, value_name = "TYPE", requires = "signature", help_heading = "By parts")]
    event: Option<String>,
    /// The body: a file (@file), or standard input (-)
    #[arg(long, value_name = "@FILE|-", requires = "signature", help_heading = "By parts")]
    body: Option<BodyArg>,
    /// When it arrived: Unix seconds, or a time such as 2026-03-17T10:00:00Z [default: the time in the file, or now]
    #[arg(long, value_name = "TIME", value_parser = time::instant, allow_hyphen_values = true)]
    now: Option<Timestamp>,
    /// What arrived over the wire: a saved delivery, a dump, or a body. Compared with --app
    #[arg(long, value_name = "FILE", requires = "app", help_heading = "Comparison")]
    wire: Option<PathBuf>,
    /// What the application saw, in any of the same forms
    #[arg(long, value_name = "FILE", requires = "wire", help_heading = "Comparison")]
    app: Option<PathBuf>,
    #[command(flatten)]
    verifier: VerifierArgs,
    #[command(flatten)]
    secret: SecretArgs,
}

pub(crate) async fn run(args: ExplainArgs, output: &Arc<Output>) -> Result<Exit, Failure> {
    if let (Some(wire), Some(app)) = (&args.wire, &args.app) {
        return diff::run(wire, app, output);
    }
    let secrets = args.secret.read()?;
    let request = match (&args.file, &args.signature, &args.event, &args.body) {
        (Some(path), ..) => read::request(path).await?,
        (_, Some(signature), Some(event), Some(body)) => {
            RecordedRequest::from_parts(signature, event, body.read().await?)
        }
        _ => return Err(Failure::usage("nothing to explain")),
    };
    secrets.warn(output);
    let now = args.now.or(request.at).unwrap_or_else(Timestamp::now);
    let judgment = Judgment::new(&request, &args.verifier.verifier(&secrets), now);
    report::rules(output, &judgment)?;
    let finding = if judgment.is_signature_wrong() {
        output.note("searching for what broke the signature, for up to 10 seconds");
        // The search blocks, so it gets its own thread, and Ctrl-C ends the wait.
        let searching = tokio::task::spawn_blocking(move || search(&request, &secrets));
        let finding = until_interrupted(searching).await.ok_or_else(Failure::interrupted)?;
        finding.map_err(|error| Failure::failed(format!("the search failed: {error}")))?
    } else {
        Finding::default()
    };
    report::verdict(output, &judgment, &finding)
}
