//! `replay`: sends saved deliveries again.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use http::{Extensions, HeaderValue};
use jiff::SignedDuration;
use pierre_webhook_core::{SIGNATURE_HEADER, Secret};

use crate::{
    client::{Client, ClientArgs, Outgoing, SHORT_ANSWER, Target},
    delivery::{AttemptReporter, ExpectedStatus, Retries, Route, SignedRequest},
    exit::{Exit, Failure, until_interrupted},
    output::Output,
    saved::SavedDelivery,
    secrets::SecretArgs,
    time,
};

/// The arguments of `replay`.
#[derive(Debug, clap::Args)]
pub(crate) struct ReplayArgs {
    /// A saved delivery, or a directory of them (*.json), which are sent in order of their names
    path: PathBuf,
    /// The receiver, as in http://127.0.0.1:8787/webhooks. Redirects are not followed
    url: Target,
    /// Sign each delivery again with the current time; requires a secret. By default every byte is sent as saved,
    /// and the signature may be too old by now
    #[arg(long)]
    resign: bool,
    /// The expected status, as in 2xx, 401 or 2xx,409. Any other answer is a negative verdict (exit code 1)
    #[arg(long, value_name = "STATUS", default_value = "2xx")]
    expect: ExpectedStatus,
    #[command(flatten)]
    client: ClientArgs,
    #[command(flatten)]
    secret: SecretArgs,
}

pub(crate) async fn run(args: ReplayArgs, output: &Arc<Output>) -> Result<Exit, Failure> {
    let secrets = if args.resign { Some(args.secret.read()?) } else { None };
    let secret = secrets.as_ref().map(|secrets| {
        secrets.warn(output);
        secrets.signing()
    });
    let files = files(&args.path)?;
    let route = Route {
        client: Client::new(args.client.timeout, &args.client.trust, &args.url, SHORT_ANSWER)?,
        target: args.url,
        expected: args.expect.clone(),
        retries: Retries::NONE,
    };
    let total = u64::try_from(files.len()).unwrap_or(u64::MAX);
    let reporter = AttemptReporter::new(Arc::clone(output), &args.expect, total);
    let finished = until_interrupted(replay(&files, secret, &route, &reporter)).await;
    let is_interrupted = finished.is_none();
    finished.transpose()?;
    reporter.summary(is_interrupted)
}

/// Returns the file itself, or the saved deliveries in the directory.
fn files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let cannot = |error| Failure::io(format_args!("cannot read {}", path.display()), &error);
    if !fs::metadata(path).map_err(cannot)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files.sort_unstable();
    if files.is_empty() {
        return Err(Failure::failed(format!("no saved delivery (*.json) in {}", path.display())));
    }
    Ok(files)
}

async fn replay(
    files: &[PathBuf],
    secret: Option<&Secret>,
    route: &Route,
    reporter: &AttemptReporter,
) -> Result<(), Failure> {
    for (n, path) in (1..).zip(files) {
        match delivery(path, secret) {
            Ok(delivery) => {
                let outcome = route.deliver(n, delivery, None, reporter).await?;
                reporter.ended(outcome);
            }
            // An invalid file doesn't stop the others.
            Err(why) => reporter.not_sent(n, &why)?,
        }
    }
    Ok(())
}

fn delivery(path: &Path, secret: Option<&Secret>) -> Result<SignedRequest, String> {
    let (method, mut headers, body) = SavedDelivery::read(path)?
        .decode()
        .map_err(|why| format!("{} is not a saved delivery: {why}", path.display()))?;
    if let Some(secret) = secret {
        let signature = secret.sign(time::signed_at(SignedDuration::ZERO), &body);
        let signature = HeaderValue::try_from(signature).map_err(|error| error.to_string())?;
        headers.insert(SIGNATURE_HEADER, signature);
    }
    Ok(SignedRequest::new(Outgoing::forwarded(method, &headers, body, Extensions::new())))
}
