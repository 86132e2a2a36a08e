//! The one connection, and how it is made and left.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::watch,
    time::{Instant, timeout},
};

use super::{
    address::{Address, Wire},
    failure::Failure,
};

/// For how long a connection may be in the making.
const CONNECT: Duration = Duration::from_secs(1);

/// Holds a connection, or the attempt at one that all who need it wait for.
///
/// An attempt is a task of its own, which none of those who wait can cancel.
pub(super) struct Slot {
    address: Arc<Address>,
    state: Arc<Mutex<State>>,
}

struct State {
    /// The number of the last attempt.
    attempt: u64,
    stage: Stage,
}

enum Stage {
    Empty,
    /// Past `until` it is not waited for any more: its runtime may be one that nobody drives.
    Connecting {
        until: Instant,
        outcome: watch::Receiver<Option<Outcome>>,
    },
    Connected(Link),
}

enum Found {
    Link(Link),
    Attempt(watch::Receiver<Option<Outcome>>),
}

type Outcome = Result<Link, Failure>;

/// A connection, with the number of the attempt that made it.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) wire: Wire,
    attempt: u64,
}

impl Slot {
    pub(super) fn new(address: Address) -> Self {
        let state = State { attempt: 0, stage: Stage::Empty };
        Self { address: Arc::new(address), state: Arc::new(Mutex::new(state)) }
    }

    /// The connection. Waits for one for so long.
    pub(super) async fn link(&self, patience: Duration) -> Outcome {
        let mut outcome = match self.find()? {
            Found::Link(link) => return Ok(link),
            Found::Attempt(outcome) => outcome,
        };
        match timeout(patience, outcome.wait_for(Option::is_some)).await {
            Ok(Ok(outcome)) => outcome.clone().unwrap_or(Err(Failure::Interrupted)),
            Ok(Err(_)) => Err(Failure::Interrupted),
            Err(_) => Err(Failure::Slow),
        }
    }

    /// Leaves a connection, unless there is another by now.
    pub(super) fn leave(&self, link: &Link) {
        let mut state = lock(&self.state);
        if state.attempt == link.attempt && matches!(state.stage, Stage::Connected(_)) {
            state.stage = Stage::Empty;
        }
    }

    /// The connection, or the attempt at one that is under way from now on.
    fn find(&self) -> Result<Found, Failure> {
        let mut state = lock(&self.state);
        match &state.stage {
            Stage::Connected(link) => return Ok(Found::Link(link.clone())),
            // An attempt whose runtime has ended has no sender any more.
            Stage::Connecting { until, outcome }
                if outcome.has_changed().is_ok() && Instant::now() < *until =>
            {
                return Ok(Found::Attempt(outcome.clone()));
            }
            Stage::Connecting { .. } | Stage::Empty => {}
        }
        let runtime = Handle::try_current().map_err(|_| Failure::NoRuntime)?;
        let (sender, outcome) = watch::channel(None);
        state.attempt = state.attempt.wrapping_add(1);
        let until = Instant::now().checked_add(CONNECT).unwrap_or_else(Instant::now);
        state.stage = Stage::Connecting { until, outcome: outcome.clone() };
        runtime.spawn(attempt(
            Arc::clone(&self.address),
            Arc::clone(&self.state),
            state.attempt,
            sender,
        ));
        Ok(Found::Attempt(outcome))
    }
}

async fn attempt(
    address: Arc<Address>,
    state: Arc<Mutex<State>>,
    attempt: u64,
    sender: watch::Sender<Option<Outcome>>,
) {
    let outcome = match timeout(CONNECT, address.connect()).await {
        Ok(connected) => connected.map(|wire| Link { wire, attempt }),
        Err(_) => Err(Failure::Unconnected("it was not made in time".to_owned())),
    };
    {
        let mut state = lock(&state);
        if state.attempt == attempt {
            state.stage = match &outcome {
                Ok(link) => Stage::Connected(link.clone()),
                Err(_) => Stage::Empty,
            };
        }
    }
    sender.send_replace(Some(outcome));
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // No step of it can panic half done.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
