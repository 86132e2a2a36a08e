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

use super::{address::Address, command::Command, connection::Connection, failure::Failure};

/// How long an operation may take, retry included.
const OPERATION: Duration = Duration::from_secs(1);
/// How long an answer is awaited.
const RESPONSE: Duration = Duration::from_millis(400);
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(1);

/// Holds the connection, or the attempt to connect that all callers wait for.
///
/// An attempt is a task of its own, so dropping a caller doesn't cancel it.
pub(super) struct Client {
    address: Arc<Address>,
    state: Arc<Mutex<State>>,
}

struct State {
    /// Counts the attempts to connect, each of which numbers the connection that it makes.
    attempts: u64,
    stage: Stage,
}

enum Stage {
    Disconnected,
    /// Not waited for past `until`: nobody may be driving its runtime any more.
    Connecting {
        until: Instant,
        attempt: Attempt,
    },
    Connected(Connection),
}

/// Receives the outcome of an attempt to connect.
type Attempt = watch::Receiver<Option<Outcome>>;
type Outcome = Result<Connection, Failure>;

impl Client {
    pub(super) fn new(address: Address) -> Self {
        let state = State { attempts: 0, stage: Stage::Disconnected };
        Self { address: Arc::new(address), state: Arc::new(Mutex::new(state)) }
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
            Ok(answer) => answer.map_err(Failure::Refused),
            Err(_) => Err(Failure::Slow),
        };
        if answer.as_ref().is_err_and(Failure::is_of_the_connection) {
            self.disconnect(&connection);
        }
        answer
    }

    /// Returns the connection, or waits for one.
    async fn connection(&self, patience: Duration) -> Outcome {
        let mut attempt = {
            let mut state = lock(&self.state);
            match &state.stage {
                Stage::Connected(connection) => return Ok(connection.clone()),
                // If the runtime of an attempt has ended, its channel is closed.
                Stage::Connecting { until, attempt }
                    if attempt.has_changed().is_ok() && Instant::now() < *until =>
                {
                    attempt.clone()
                }
                Stage::Connecting { .. } | Stage::Disconnected => self.connect(&mut state)?,
            }
        };
        match timeout(patience, attempt.wait_for(Option::is_some)).await {
            Ok(Ok(outcome)) => outcome.clone().unwrap_or(Err(Failure::Interrupted)),
            Ok(Err(_)) => Err(Failure::Interrupted),
            Err(_) => Err(Failure::Slow),
        }
    }

    /// Starts an attempt to connect.
    fn connect(&self, state: &mut State) -> Result<Attempt, Failure> {
        let runtime = Handle::try_current().map_err(|_| Failure::NoRuntime)?;
        let (sender, attempt) = watch::channel(None);
        state.attempts = state.attempts.wrapping_add(1);
        let until = Instant::now().checked_add(CONNECT).unwrap_or_else(Instant::now);
        state.stage = Stage::Connecting { until, attempt: attempt.clone() };
        let (address, shared) = (Arc::clone(&self.address), Arc::clone(&self.state));
        runtime.spawn(connect(address, shared, state.attempts, sender));
        Ok(attempt)
    }

    /// Drops the connection, unless there is a newer one.
    fn disconnect(&self, connection: &Connection) {
        let mut state = lock(&self.state);
        if state.attempts == connection.number && matches!(state.stage, Stage::Connected(_)) {
            state.stage = Stage::Disconnected;
        }
    }
}

async fn connect(
    address: Arc<Address>,
    state: Arc<Mutex<State>>,
    number: u64,
    sender: watch::Sender<Option<Outcome>>,
) {
    let outcome = match timeout(CONNECT, address.connect(number)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Failure::Unconnected("it was not made in time".to_owned())),
    };
    {
        let mut state = lock(&state);
        if state.attempts == number {
            state.stage = match &outcome {
                Ok(connection) => Stage::Connected(connection.clone()),
                Err(_) => Stage::Disconnected,
            };
        }
    }
    sender.send_replace(Some(outcome));
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // No change of the state can panic halfway, so a poisoned lock still guards a consistent one.
    state.lock().unwrap_or_else(PoisonError::into_inner)
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
