//! A run of deliveries, sent or printed as curl commands.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use serde::Serialize;
use tokio::task::JoinSet;

use super::{curl, prepared::Prepared};
use crate::{
    client::ClientArgs,
    delivery::AttemptReporter,
    escape,
    exit::{Exit, Failure, until_interrupted},
    output::Output,
    payload::BodyArg,
};

/// A run of deliveries.
struct Run {
    prepared: Prepared,
    reporter: AttemptReporter,
    /// How many deliveries the workers have taken on.
    started: AtomicU64,
}

/// The curl command of one delivery, as JSON.
#[derive(Serialize)]
struct DryRun<'a> {
    n: u64,
    curl: &'a str,
    delivery_id: Option<String>,
    signed_at: Option<u64>,
}

/// Sends deliveries, several at the same time.
pub(super) async fn send(
    prepared: Prepared,
    concurrency: u16,
    output: &Arc<Output>,
) -> Result<Exit, Failure> {
    let count = prepared.args.count;
    let reporter = AttemptReporter::new(Arc::clone(output), &prepared.args.expect, count);
    let run = Arc::new(Run { prepared, reporter, started: AtomicU64::new(0) });
    let workers = count.min(concurrency.into());
    let finished = until_interrupted(Arc::clone(&run).send_all(workers)).await;
    let is_interrupted = finished.is_none();
    finished.transpose()?;
    run.reporter.summary(is_interrupted)
}

/// Prints the curl command of each delivery.
pub(super) fn print_curl(
    prepared: &Prepared,
    client: &ClientArgs,
    output: &Output,
) -> Result<Exit, Failure> {
    let file = prepared.args.body.as_ref().and_then(BodyArg::file);
    for n in 1..=prepared.args.count {
        print_one_curl(prepared, client, output, n, file)?;
    }
    Ok(Exit::AsExpected)
}

fn print_one_curl(
    prepared: &Prepared,
    client: &ClientArgs,
    output: &Output,
    n: u64,
    file: Option<&Path>,
) -> Result<(), Failure> {
    let body = prepared.body(n)?;
    let delivery = prepared.sign(&body);
    let (data, written) = curl::data(&body, file)?;
    if let Some(path) = written {
        let path = escape::text(&path.display().to_string());
        output.note(format_args!("wrote the body to {path}"));
    }
    let curl = curl::command(&prepared.route.target, &delivery.request, client, &data);
    output.record(&DryRun {
        n,
        curl: &curl,
        delivery_id: delivery.id.map(|id| id.to_string()),
        signed_at: delivery.signed_at,
    })?;
    output.data(curl)
}

impl Run {
    async fn send_all(self: Arc<Self>, workers: u64) -> Result<(), Failure> {
        let mut tasks = JoinSet::new();
        for _ in 0..workers {
            tasks.spawn(Arc::clone(&self).work());
        }
        while let Some(ended) = tasks.join_next().await {
            ended.map_err(|error| Failure::failed(format!("a worker failed: {error}")))??;
        }
        Ok(())
    }

    /// Sends one delivery after another until none is left.
    async fn work(self: Arc<Self>) -> Result<(), Failure> {
        loop {
            let n = self.started.fetch_add(1, Ordering::Relaxed).saturating_add(1);
            if n > self.prepared.args.count {
                return Ok(());
            }
            let body = self.prepared.body(n)?;
            let signed = self.prepared.sign(&body);
            self.prepared.deliver(n, &body, signed, &self.reporter).await?;
        }
    }
}
