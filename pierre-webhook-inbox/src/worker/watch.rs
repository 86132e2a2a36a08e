//! Sets the gauges while a worker runs.

use std::time::Duration;

use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use crate::{inbox::Inbox, metrics, trace};

const INTERVAL: Duration = Duration::from_secs(15);

/// Ends when it is dropped.
pub(super) fn watch(inbox: &Inbox) -> JoinSet<()> {
    let inbox = inbox.clone();
    let mut watch = JoinSet::new();
    watch.spawn(async move {
        let mut ticks = interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match inbox.stats().await {
                Ok(stats) => metrics::counted(&inbox.scope, &stats),
                Err(error) => trace::failure(&error, "waiting deliveries could not be counted"),
            }
        }
    });
    watch
}
