//! The loop of a worker: take, start, wait.

use std::{pin::pin, sync::Arc, time::Duration};

use tokio::{
    select,
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use super::{
    running::{Ended, Running},
    settings::Settings,
};
use crate::{
    error::InboxError,
    inbox::Inbox,
    job::Job,
    row::TakenRow,
    store::{Order, Take, Ticket},
    trace,
};

/// How long a delivery that has ended waits for others, before more are taken.
const TOGETHER: Duration = Duration::from_millis(1);

/// How long to wait after the database failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

pub(super) async fn run<F, W>(
    inbox: Inbox,
    settings: Settings,
    shutdown: impl Future<Output = ()>,
    handler: F,
) -> Result<(), InboxError>
where
    F: Fn(Job) -> W + Send + Sync + 'static,
    W: Future<Output = Result<(), String>> + Send + 'static,
{
    let (give_back, told_to_give_back) = watch::channel(false);
    let settings = Arc::new(settings);
    let handler = Arc::new(handler);
    let mut running = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    let _clock = super::clock::watch(&inbox, settings.lease);
    #[cfg(feature = "metrics")]
    let _watch = super::watch::watch(&inbox);
    loop {
        let mut arrival = pin!(inbox.arrivals.notified());
        // From here on, an arrival is noticed.
        arrival.as_mut().enable();
        let free = settings.concurrency.saturating_sub(running.len());
        let mut wait = settings.poll_interval;
        if free > 0 {
            let taken = Instant::now();
            match take(&inbox, &settings, free).await {
                Ok(rows) => {
                    // A taking in order may have stopped early.
                    if !rows.is_empty() && settings.order != Order::Any {
                        wait = Duration::ZERO;
                    }
                    for row in rows {
                        let task = Running {
                            store: inbox.store.clone(),
                            ticket: ticket(&inbox, &settings, &row),
                            settings: settings.clone(),
                            taken,
                            told_to_give_back: told_to_give_back.clone(),
                        };
                        running.spawn(task.run(row, handler.clone()));
                    }
                }
                Err(error) => {
                    trace::failure(&error, "deliveries could not be taken");
                    wait = AFTER_FAILURE;
                }
            }
        }
        let is_full = running.len() >= settings.concurrency;
        select! {
            biased;
            () = &mut shutdown => break,
            Some(_) = running.join_next() => {}
            () = arrival, if !is_full => {}
            () = sleep(wait), if !is_full => {}
        }
        // Those that end together make room together: a taking costs about as much as a settling.
        let together = sleep(TOGETHER);
        let mut together = pin!(together);
        while is_full && !running.is_empty() {
            select! {
                biased;
                _ = running.join_next() => {}
                () = &mut together => break,
            }
        }
        while running.try_join_next().is_some() {}
    }
    end(running, give_back, settings.shutdown_timeout).await
}

async fn take(
    inbox: &Inbox,
    settings: &Settings,
    free: usize,
) -> Result<Vec<TakenRow>, InboxError> {
    let limit = i64::try_from(free).unwrap_or(i64::MAX);
    let take = Take { limit, lease: settings.lease, order: settings.order };
    inbox.store.take(inbox.scope.clone(), take).await
}

fn ticket(inbox: &Inbox, settings: &Settings, row: &TakenRow) -> Ticket {
    Ticket {
        scope: inbox.scope.clone(),
        id: row.id,
        tenant: row.tenant.clone(),
        attempt: row.attempt,
        order: settings.order,
    }
}

/// Lets the runs end within a time, and has the rest given back.
async fn end(
    mut running: JoinSet<Ended>,
    give_back: watch::Sender<bool>,
    patience: Duration,
) -> Result<(), InboxError> {
    let now = Instant::now();
    let patient_until = now.checked_add(patience).unwrap_or(now);
    let mut result = Ok(());
    loop {
        let ended = select! {
            ended = running.join_next() => ended,
            () = sleep_until(patient_until), if !*give_back.borrow() => {
                give_back.send_replace(true);
                continue;
            }
        };
        match ended {
            Some(Ok(Ended::NotGivenBack(error))) => result = Err(error),
            Some(Ok(Ended::Settled)) => {}
            Some(Err(error)) => result = Err(InboxError::database(error)),
            None => return result,
        }
    }
}
