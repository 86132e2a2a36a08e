//! Notices that the database's clock was set back.

use std::time::Duration;

use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use crate::{inbox::Inbox, store::ROWS_AT_ONCE, trace};

const INTERVAL: Duration = Duration::from_secs(60);

/// Makes deliveries due that would otherwise wait until the clock is where it was. Ends when it is dropped.
pub(super) fn watch(inbox: &Inbox, lease: Duration) -> JoinSet<()> {
    let inbox = inbox.clone();
    let mut watch = JoinSet::new();
    watch.spawn(async move {
        let most = u64::try_from(ROWS_AT_ONCE).unwrap_or_default();
        let mut ticks = interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match inbox.store.clock_set_back(inbox.scope.clone(), lease).await {
                Ok(0) => {}
                Ok(changed) => {
                    trace::clock_set_back(changed);
                    inbox.arrivals.notify_waiters();
                    if changed >= most {
                        ticks.reset_immediately();
                    }
                }
                Err(error) => trace::failure(&error, "the database's clock could not be checked"),
            }
        }
    });
    watch
}
