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
    delivery::{Expected, Reporter, Retries, Route, Signed},
    exit::{Exit, Failure, until_interrupted},
    http::{Client, ClientArgs, MOST_ANSWER, Outgoing, Target},
    output::Output,
    saved::Saved,
    secrets::SecretArgs,
    time,
};

/// What `replay` can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct ReplayArgs {
    /// A saved delivery, or a directory of them (*.json), sent in the order of their names
    path: PathBuf,
    /// Where to, as in http://127.0.0.1:8787/webhooks. Redirects are not followed
    url: Target,
    /// Sign anew with the present time, which takes a secret. Without it every header and byte is sent as it was
    /// saved, so that a delivery can be too old by now
    #[arg(long)]
    resign: bool,
    /// The answers to expect, as in 2xx, 401 or 2xx,409; another one is a negative verdict, exit code 1
    #[arg(long, value_name = "STATUS", default_value = "2xx")]
    expect: Expected,
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
        client: Client::new(args.client.timeout, &args.client.trust, &args.url, MOST_ANSWER)?,
        target: args.url,
        expected: args.expect.clone(),
        retries: Retries::NONE,
    };
    let all = u64::try_from(files.len()).unwrap_or(u64::MAX);
    let reporter = Reporter::new(Arc::clone(output), args.expect, all);
    let finished = until_interrupted(replay(&files, secret, &route, &reporter)).await;
    let is_interrupted = finished.is_none();
    finished.transpose()?;
    reporter.summary(is_interrupted)
}

/// The file itself, or those of the directory that bear the name of a saved delivery.
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
    reporter: &Reporter,
) -> Result<(), Failure> {
    for (n, path) in (1..).zip(files) {
        match delivery(path, secret) {
            Ok(delivery) => {
                let outcome = route.deliver(n, delivery, None, reporter).await?;
                reporter.ended(outcome);
            }
            // One that is no delivery does not keep the others back.
            Err(why) => reporter.nothing_to_send(n, &why)?,
        }
    }
    Ok(())
}

fn delivery(path: &Path, secret: Option<&Secret>) -> Result<Signed, String> {
    let (method, mut headers, body) = Saved::read(path)?
        .decode()
        .map_err(|why| format!("{} is not a saved delivery: {why}", path.display()))?;
    if let Some(secret) = secret {
        let signature = secret.sign(time::signed_at(SignedDuration::ZERO), &body);
        let signature = HeaderValue::try_from(signature).map_err(|error| error.to_string())?;
        headers.insert(SIGNATURE_HEADER, signature);
    }
    Ok(Signed::of(Outgoing::passed_on(method, &headers, body, Extensions::new())))
}
