//! Completions that the store has not recorded yet: retried in the background.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};

use crate::{
    lease::Lease,
    once::Recorded,
    trace::{warn, warn_of},
};

/// How long a completion is retried.
const RETRY_FOR: Duration = Duration::from_secs(15 * 60);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Work that succeeded but isn't recorded yet. Dropping this value records it in the background.
pub(crate) struct Unrecorded {
    lease: Arc<Lease>,
    is_settled: bool,
}

impl Unrecorded {
    pub(crate) fn new(lease: Arc<Lease>) -> Self {
        Self { lease, is_settled: false }
    }

    pub(crate) async fn record(mut self) -> Recorded {
        let recorded = self.try_to_record().await;
        #[cfg(feature = "metrics")]
        crate::metrics::completed(self.lease.terms(), recorded);
        recorded
    }

    async fn try_to_record(&mut self) -> Recorded {
        match self.lease.complete().await {
            Ok(recorded) => {
                self.is_settled = true;
                recorded
            }
            Err(error) => {
                warn_of(&error, self.lease.id(), "a completed delivery is recorded later");
                if self.retry_in_background() { Recorded::Retrying } else { Recorded::No }
            }
        }
    }
}

impl Unrecorded {
    /// Returns whether there was room in the background.
    fn retry_in_background(&mut self) -> bool {
        self.is_settled = true;
        match Arc::clone(&self.lease.terms().unrecorded).try_acquire_owned() {
            Ok(permit) => {
                let lease = Arc::clone(&self.lease);
                #[cfg(feature = "metrics")]
                let waiting = crate::metrics::Waiting::new(lease.terms());
                self.lease.runtime().spawn(async move {
                    let _recorded = retry(&lease).await;
                    #[cfg(feature = "metrics")]
                    {
                        crate::metrics::completed(lease.terms(), _recorded);
                        drop(waiting);
                    }
                    drop(permit);
                });
                true
            }
            Err(_) => {
                warn(self.lease.id(), "a completed delivery is not recorded: too many wait");
                self.lease.handle().stop_renewing();
                false
            }
        }
    }
}

impl Drop for Unrecorded {
    fn drop(&mut self) {
        if !self.is_settled {
            self.retry_in_background();
        }
    }
}

async fn retry(lease: &Lease) -> Recorded {
    let start = Instant::now();
    // Short enough to record the completion once the store is back, before another claims the delivery.
    let longest = LONGEST_PAUSE.min(lease.terms().third_of_lease());
    let mut pause = FIRST_PAUSE.min(longest);
    loop {
        let error = match lease.complete().await {
            Ok(recorded) => return recorded,
            Err(error) => error,
        };
        if start.elapsed() > RETRY_FOR {
            warn_of(&error, lease.id(), "a completed delivery could not be recorded");
            return Recorded::No;
        }
        sleep(pause).await;
        pause = pause.saturating_mul(2).min(longest);
    }
}
