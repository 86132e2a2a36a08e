//! A question and its answer, bounded in time.

use std::time::Duration;

use redis::{Value, cmd};
use tokio::{
    runtime::Handle,
    time::{Instant, timeout},
};

use super::{address::Address, connection::Slot, failure::Failure, request::Request};

/// For how long an operation may go on, whatever happens.
const OPERATION: Duration = Duration::from_secs(1);
/// For how long an answer is awaited.
const RESPONSE: Duration = Duration::from_millis(400);

pub(super) struct Server {
    slot: Slot,
}

impl Server {
    pub(super) fn new(address: Address) -> Self {
        Self { slot: Slot::new(address) }
    }

    pub(super) async fn ping(&self) -> Result<(), Failure> {
        self.ask(&Request::Command(cmd("PING")), &Time::start()?).await.map(drop)
    }

    /// Asks, and where it was the connection that failed, once more on a new one. Any request may be: whoever
    /// has done it already does nothing at the second time, and has the same answer.
    pub(super) async fn ask(&self, request: &Request<'_>, time: &Time) -> Result<Value, Failure> {
        match self.ask_once(request, time).await {
            Err(failure) if failure.is_of_the_connection() && !time.is_over() => {
                self.ask_once(request, time).await
            }
            answered => answered,
        }
    }

    async fn ask_once(&self, request: &Request<'_>, time: &Time) -> Result<Value, Failure> {
        let mut link = self.slot.link(time.left()).await?;
        let patience = RESPONSE.min(time.left());
        let answered = match timeout(patience, request.send(&mut link.wire.connection)).await {
            Ok(answered) => answered.map_err(Failure::Refused),
            Err(_) => Err(Failure::Slow),
        };
        if answered.as_ref().is_err_and(Failure::is_of_the_connection) {
            self.slot.leave(&link);
        }
        answered
    }
}

/// The time of one operation.
pub(super) struct Time {
    start: Instant,
}

impl Time {
    pub(super) fn start() -> Result<Self, Failure> {
        // The clocks below would panic.
        Handle::try_current().map_err(|_| Failure::NoRuntime)?;
        Ok(Self { start: Instant::now() })
    }

    fn left(&self) -> Duration {
        OPERATION.saturating_sub(self.start.elapsed())
    }

    fn is_over(&self) -> bool {
        self.left().is_zero()
    }
}
