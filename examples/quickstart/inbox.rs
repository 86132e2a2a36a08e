//! Sends deliveries to a server that stores them in a SQLite inbox, and processes them: the first attempt of each fails.

use std::{env, error::Error, fmt::Write as _, fs, path::PathBuf, process, time::Duration};

use pierre_webhook_inbox::{Inbox, Job, Worker};
use tokio::{
    sync::oneshot,
    time::{sleep, timeout},
};

use crate::{
    client,
    deliveries::{self, Delivery},
    describe::describe,
    servers::{Seen, Server},
};

/// What was sent, and what wasn't as expected.
pub(crate) struct Stored {
    pub(crate) responses: usize,
    pub(crate) differences: Vec<String>,
}

/// Adds the results to the page.
pub(crate) async fn run(
    page: &mut String,
    deliveries: &[Delivery],
) -> Result<Stored, Box<dyn Error>> {
    let folder = Folder::create()?;
    let inbox = Inbox::sqlite(folder.0.join("webhooks.db")).await?;
    let seen = Seen::default();
    let server = Server::inbox(deliveries::verifier()?, &inbox, seen.clone()).await?;
    writeln!(page, "\n{:<39}AXUM  OUTCOME", "STORED IN AN INBOX, PROCESSED LATER")?;

    let mut differences = Vec::new();
    for delivery in deliveries {
        let (status, _) = client::send(server.address, delivery).await?;
        let handled = delivery.expected.seen.concat();
        let expected = format!("attempt 1 failed; attempt 2 saw: {handled}");
        let outcome = work(&inbox, &seen).await?;
        writeln!(page, "{:<39}{status:>4}  {outcome}", delivery.name)?;
        if (status, &outcome) != (200, &expected) {
            let name = delivery.name;
            differences.push(format!(
                "inbox, {name}:\n  expected 200 {expected}\n  but got  {status} {outcome}"
            ));
        }
    }
    server.end().await?;
    Ok(Stored { responses: deliveries.len(), differences })
}

/// Works the inbox off until nothing waits, and returns what the worker did.
async fn work(inbox: &Inbox, seen: &Seen) -> Result<String, Box<dyn Error>> {
    const LONGEST: Duration = Duration::from_secs(10);

    let worker = Worker::new(inbox.clone(), {
        let seen = seen.clone();
        move |job: Job| {
            let seen = seen.clone();
            async move { handle(&job, &seen) }
        }
    })
    .backoff(Duration::from_millis(1), Duration::from_millis(1))
    .poll_interval(Duration::from_millis(5));
    let (end, told_to_end) = oneshot::channel::<()>();
    let working = tokio::spawn(worker.run(async {
        let _ = told_to_end.await;
    }));
    timeout(LONGEST, until_empty(inbox)).await??;
    drop(end);
    working.await??;
    Ok(seen.take().join("; "))
}

fn handle(job: &Job, seen: &Seen) -> Result<(), &'static str> {
    if job.attempt() == 1 {
        seen.add("attempt 1 failed".to_owned());
        return Err("a failure, to show a retry");
    }
    seen.add(format!("attempt {} saw: {}", job.attempt(), describe(&job.event)));
    Ok(())
}

async fn until_empty(inbox: &Inbox) -> Result<(), Box<dyn Error>> {
    loop {
        let stats = inbox.stats().await?;
        if stats.ready == 0 && stats.running == 0 {
            return Ok(());
        }
        sleep(Duration::from_millis(2)).await;
    }
}

/// A folder that is removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn create() -> Result<Self, Box<dyn Error>> {
        let folder = env::temp_dir().join(format!("pierre-webhook-quickstart-{}", process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
