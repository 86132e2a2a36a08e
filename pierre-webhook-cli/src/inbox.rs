//! `inbox`: shows and repairs what pierre-webhook-inbox has stored.

mod database;
mod entry;

use std::time::Duration;

use clap::{Subcommand, ValueEnum};
use pierre_webhook_core::DeliveryId;
use pierre_webhook_inbox::{Inbox, InboxError, State};
use serde_json::json;

use self::database::DatabaseArgs;
use crate::{
    exit::{Exit, Failure, until_interrupted},
    output::Output,
    time,
};

/// The arguments of `inbox`.
#[derive(Debug, clap::Args)]
pub(crate) struct InboxArgs {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List deliveries, the oldest first, and count them
    List {
        /// Only those in this state. By default all but those that are done
        #[arg(long)]
        state: Option<StateArg>,
        /// How many of each state
        #[arg(long, value_name = "NUMBER", default_value_t = 100)]
        limit: u32,
    },
    /// Show a delivery and its body
    Show {
        id: DeliveryId,
        /// Print only the body, byte for byte
        #[arg(long)]
        body: bool,
    },
    /// Have dead deliveries run again
    Retry {
        #[command(flatten)]
        which: DeadArgs,
    },
    /// Give dead deliveries up: they count as done
    Discard {
        #[command(flatten)]
        which: DeadArgs,
    },
    /// Remove the bodies of deliveries that have been done for some time, and their ids after the retention
    Prune {
        /// For how long they have been done, as in 24h or 7d
        #[arg(long, value_parser = time::duration)]
        age: Duration,
        /// How long the id of a delivery is remembered after it is done
        #[arg(long, value_parser = time::duration, default_value = "72h")]
        retention: Duration,
    },
}

/// Which dead deliveries.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct DeadArgs {
    /// The ids of dead deliveries
    id: Vec<DeliveryId>,
    /// All dead deliveries
    #[arg(long)]
    all: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum StateArg {
    Ready,
    Running,
    Done,
    Dead,
}

impl From<StateArg> for State {
    fn from(state: StateArg) -> Self {
        match state {
            StateArg::Ready => Self::Ready,
            StateArg::Running => Self::Running,
            StateArg::Done => Self::Done,
            StateArg::Dead => Self::Dead,
        }
    }
}

pub(crate) async fn run(args: InboxArgs, output: &Output) -> Result<Exit, Failure> {
    let work = async {
        let inbox = args.database.open().await?;
        match args.action {
            Action::List { state, limit } => list(&inbox, state, limit, output).await,
            Action::Show { id, body } => show(&inbox, id, body, output).await,
            Action::Retry { which } => {
                each_dead(&inbox, which, ("retried", Inbox::retry), output).await
            }
            Action::Discard { which } => {
                each_dead(&inbox, which, ("discarded", Inbox::discard), output).await
            }
            Action::Prune { age, retention } => {
                prune(&inbox.retention(retention), age, output).await
            }
        }
    };
    until_interrupted(work).await.unwrap_or_else(|| Err(Failure::interrupted()))
}

async fn list(
    inbox: &Inbox,
    state: Option<StateArg>,
    limit: u32,
    output: &Output,
) -> Result<Exit, Failure> {
    let states = match state {
        Some(state) => vec![state.into()],
        None => vec![State::Ready, State::Running, State::Dead],
    };
    for state in states {
        for entry in inbox.list(state, limit).await.map_err(failed)? {
            output.data(entry::line(&entry))?;
            output.record(&entry::record(&entry))?;
        }
    }
    let stats = inbox.stats().await.map_err(failed)?;
    let oldest = stats.oldest.map(|oldest| oldest.as_secs());
    output.record(&json!({ "summary": {
        "ready": stats.ready,
        "running": stats.running,
        "dead": stats.dead,
        "oldest_waiting_seconds": oldest,
    }}))?;
    let waits = oldest.map(|seconds| format!("; the oldest has waited for {seconds} s"));
    output.note(format_args!(
        "{} ready, {} running, {} dead{}",
        stats.ready,
        stats.running,
        stats.dead,
        waits.unwrap_or_default()
    ));
    Ok(Exit::AsExpected)
}

async fn show(
    inbox: &Inbox,
    id: DeliveryId,
    only_body: bool,
    output: &Output,
) -> Result<Exit, Failure> {
    let found = inbox.find(id).await.map_err(failed)?;
    if found.is_empty() {
        output.say(format_args!("{id} is not in the inbox"));
        return Ok(Exit::Negative);
    }
    for (entry, body) in &found {
        match body {
            Some(body) if only_body => output.raw(body)?,
            None if only_body => output.say(format_args!("the body of {id} was pruned")),
            _ => {
                output.data(entry::details(entry, body.as_deref()))?;
                output.record(&entry::record_with_body(entry, body.as_deref()))?;
            }
        }
    }
    let is_pruned = only_body && found.iter().all(|(_, body)| body.is_none());
    Ok(if is_pruned { Exit::Negative } else { Exit::AsExpected })
}

/// Does something to each dead delivery. The word says in the past tense what.
async fn each_dead(
    inbox: &Inbox,
    which: DeadArgs,
    (done, action): (&str, impl AsyncFn(&Inbox, DeliveryId) -> Result<bool, InboxError>),
    output: &Output,
) -> Result<Exit, Failure> {
    let mut exit = Exit::AsExpected;
    let ids = if which.all {
        let dead = inbox.dead(u32::MAX).await.map_err(failed)?;
        dead.iter().map(|entry| entry.id).collect()
    } else {
        which.id
    };
    for id in ids {
        let is_done = action(inbox, id).await.map_err(failed)?;
        output.record(&json!({ "id": id.to_string(), done: is_done }))?;
        if is_done {
            output.data(format_args!("{id} {done}"))?;
        } else {
            exit = Exit::Negative;
            output.say(format_args!("{id} is not a dead delivery"));
        }
    }
    Ok(exit)
}

async fn prune(inbox: &Inbox, age: Duration, output: &Output) -> Result<Exit, Failure> {
    let pruned = inbox.prune(age).await.map_err(failed)?;
    output.record(&json!({ "bodies": pruned.bodies, "entries": pruned.entries }))?;
    output.data(format_args!("{} bodies and {} entries removed", pruned.bodies, pruned.entries))?;
    Ok(Exit::AsExpected)
}

fn failed(error: InboxError) -> Failure {
    Failure::failed(error.to_string())
}
