//! The client: one shared connection, on which every operation is bounded in time.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use redis::Value;
use tokio::{
    runtime::Handle,
    sync::watch,
    time::{Instant, timeout},
};

use super::{
    address::Address,
    command::Command,
    failure::Failure,
    server::{self, Warned},
    slot::{CONNECT, Found, Outcome, Slot},
};

/// How long an operation may take, retry included.
const OPERATION: Duration = Duration::from_secs(1);
/// How long an answer is awaited.
const RESPONSE: Duration = Duration::from_millis(400);

/// Holds the connection, or the attempt to connect that all callers wait for.
///
/// An attempt is a task of its own, so it goes on after its callers were dropped or have run out of time.
pub(super) struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    address: Address,
    warned: Warned,
    slot: Mutex<Slot>,
}

impl Client {
    pub(super) fn new(address: Address) -> Self {
        let slot = Mutex::new(Slot::new());
        Self { shared: Arc::new(Shared { address, warned: Warned::default(), slot }) }
    }

    /// Sends a command, and retries it once on a new connection if the connection failed. Every command may be
    /// repeated: if the first one took effect, the second changes nothing and has the same answer.
    pub(super) async fn send(
        &self,
        command: &Command<'_>,
        deadline: &Deadline,
    ) -> Result<Value, Failure> {
        match self.send_once(command, deadline).await {
            Err(failure) if failure.is_of_the_connection() && !deadline.has_passed() => {
                self.send_once(command, deadline).await
            }
            answer => answer,
        }
    }

    async fn send_once(
        &self,
        command: &Command<'_>,
        deadline: &Deadline,
    ) -> Result<Value, Failure> {
        let mut connection = self.connection(deadline.time_left()).await?;
        let patience = RESPONSE.min(deadline.time_left());
        let answer = match timeout(patience, connection.send(command)).await {
            Ok(answer) => answer.map_err(Failure::from),
            // The operation is out of time. That says little about a connection that was slow to make.
            Err(_) if patience < RESPONSE => return Err(Failure::Slow),
            Err(_) => Err(Failure::Slow),
        };
        match &answer {
            // The answer of a script that had nothing to write. A replica gives it too.
            Ok(Value::Int(0)) => {}
            Ok(_) => self.shared.slot().worked(connection.number),
            Err(failure) if failure.ends_the_connection() => {
                self.shared.slot().disconnect(connection.number, failure);
            }
            Err(_) => {}
        }
        answer
    }

    /// Returns the connection, or waits for one.
    async fn connection(&self, patience: Duration) -> Outcome {
        let runtime = Handle::try_current().map_err(|_| Failure::NoRuntime)?;
        let found = self.shared.slot().find()?;
        let mut attempt = match found {
            Found::Connection(connection) => return Ok(connection),
            Found::Attempt(attempt) => attempt,
            Found::Nothing { number, report, attempt } => {
                runtime.spawn(Arc::clone(&self.shared).connect(number, report));
                attempt
            }
        };
        match timeout(patience, attempt.wait_for(Option::is_some)).await {
            Ok(Ok(outcome)) => outcome.clone().unwrap_or(Err(Failure::Interrupted)),
            Ok(Err(_)) => Err(Failure::Interrupted),
            Err(_) => Err(Failure::Slow),
        }
    }
}

impl Shared {
    /// Makes one attempt to connect.
    async fn connect(self: Arc<Self>, number: u64, report: watch::Sender<Option<Outcome>>) {
        let outcome = match timeout(CONNECT, self.usable_connection(number)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::Unconnected("it was not made in time".to_owned())),
        };
        self.slot().attempted(number, &outcome);
        report.send_replace(Some(outcome));
    }

    async fn usable_connection(&self, number: u64) -> Outcome {
        let mut connection = self.address.connect(number).await?;
        server::inspect(&mut connection, &self.warned).await?;
        Ok(connection)
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        // No change of the slot can panic halfway, so a poisoned lock still guards a consistent one.
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end of an operation's time.
pub(super) struct Deadline {
    start: Instant,
}

impl Deadline {
    pub(super) fn start() -> Result<Self, Failure> {
        // Without a runtime, tokio's timers would panic.
        Handle::try_current().map_err(|_| Failure::NoRuntime)?;
        Ok(Self { start: Instant::now() })
    }

    fn time_left(&self) -> Duration {
        OPERATION.saturating_sub(self.start.elapsed())
    }

    fn has_passed(&self) -> bool {
        self.time_left().is_zero()
    }
}
