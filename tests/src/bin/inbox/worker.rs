//! The worker's process.

use std::time::Duration;

use pierre_webhook_core::Event;
use pierre_webhook_inbox::{Job, Worker};
use tokio::{io::AsyncReadExt, time::sleep};

use crate::storage::{Effect, Storage};

/// Faults suspend a worker for longer.
pub(crate) const LEASE: Duration = Duration::from_secs(1);

#[tokio::main]
pub(crate) async fn run(storage: &Storage, is_unfenced: bool) {
    let inbox = storage.open().await;
    let effects = storage.effects(is_unfenced);
    println!("ready");
    Worker::new(inbox, move |job| handle(effects.clone(), job))
        .ordered_by_repository()
        .lease(LEASE)
        .max_attempts(u32::MAX)
        .backoff(Duration::from_millis(20), Duration::from_millis(200))
        .poll_interval(Duration::from_millis(50))
        .run(standard_input_ends())
        .await
        .expect("a shutdown in order");
}

async fn handle(storage: Storage, job: Job) -> Result<(), String> {
    let Event::Push(push) = &job.event else { return Err("not a push".to_owned()) };
    let number = i64::from_str_radix(&push.after, 16).map_err(|error| error.to_string())?;
    let attempt = i64::try_from(job.attempt()).map_err(|error| error.to_string())?;
    let repository = push.repository.id.clone();
    let effect = Effect { id: job.id(), attempt, repository, number };
    storage.began(&effect).await?;
    sleep(Duration::from_millis(2)).await;
    // One run in ten fails.
    if number.wrapping_add(attempt) % 10 == 0 {
        return Err("a run in ten fails".to_owned());
    }
    storage.take_place(effect, job).await
}

pub(crate) async fn standard_input_ends() {
    let mut input = tokio::io::stdin();
    while input.read(&mut [0; 64]).await.is_ok_and(|count| count > 0) {}
}
