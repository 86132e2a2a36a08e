//! The protocol of `pierre-webhook-inbox`: two workers in order, two deliveries of one repository and one of another.
//!
//! | here | in the crate |
//! | --- | --- |
//! | [`Row`] and what is served | `postgres/sql.rs`, `sqlite/sql.rs` |
//! | [`Attempt`] and its phases | `worker/run.rs`, `worker/running.rs` |
//!
//! The number of an attempt is only ever compared with the row's. So an attempt knows whether its number
//! is the row's, and there are no numbers.

mod actions;
mod tests;

use stateright::{Model, Property};

pub(crate) const WORKERS: usize = 2;
/// The repository of each delivery, in the order in which they were stored.
const LANES: [usize; 3] = [0, 0, 1];
const MAX_ATTEMPTS: u8 = 2;

/// A mistake in the protocol, to see it found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A delivery is settled by an attempt that was taken over.
    SettleIgnoresAttempt,
    /// A delivery is taken from the worker that runs it.
    TakeIgnoresLease,
    /// A delivery doesn't wait for one that runs.
    OrderIgnoresRunning,
    /// A delivery waits for those of other repositories.
    OrderIgnoresRepository,
    /// The effect is committed by itself, before the completion.
    EffectOutsideTransaction,
    /// A run starts though its lease has expired.
    StartIgnoresLease,
}

/// The protocol, and what may happen to it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct InOrder {
    pub(crate) fault: Option<Fault>,
    pub(crate) dead_holds: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    rows: [Row; LANES.len()],
    workers: [Option<Attempt>; WORKERS],
    /// A settlement whose worker no longer waits for it.
    late: Option<Attempt>,
    /// A delivery was taken before an earlier one of its repository had ended.
    was_out_of_order: bool,
    /// A run started once the delivery was done.
    was_run_again: bool,
    /// A delivery was done without a run.
    was_not_run: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Row {
    status: Status,
    tries: u8,
    has_run: bool,
    /// The effects of transactions that completed it.
    effects: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Status {
    Ready,
    BackingOff,
    Running,
    /// It runs, or whoever ran it is gone.
    LeaseExpired,
    Done,
    Dead,
}

/// What a worker does: one attempt at one delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Attempt {
    row: usize,
    phase: Phase,
    /// Its number is the row's, and the row is running.
    is_current: bool,
    /// The lease has expired under it.
    has_outlived: bool,
    /// It is one too many: the last one outlived its lease.
    is_too_many: bool,
    is_last: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// The row was taken, and the answer is under way.
    Taken,
    Running,
    /// It runs, and a renewal is under way.
    Renewing,
    /// The transaction that has the effect and completes the delivery is under way.
    CompletingIn,
    Settling(Outcome),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Outcome {
    Done,
    Again,
    Dead,
    /// Given back by a shutdown.
    NotRun,
}

impl Attempt {
    fn runs(&self) -> bool {
        matches!(self.phase, Phase::Running | Phase::Renewing | Phase::CompletingIn)
    }
}

impl Row {
    fn has_ended(&self) -> bool {
        matches!(self.status, Status::Done | Status::Dead)
    }
}

impl State {
    /// Forgets what has no effect any more, and puts the workers, which are alike, into one order.
    fn normalize(&mut self) {
        for row in self.rows.iter_mut().filter(|row| row.has_ended()) {
            (row.tries, row.has_run) = (0, false);
        }
        for attempt in self.workers.iter_mut().flatten() {
            attempt.is_too_many &= attempt.phase == Phase::Taken;
            attempt.is_last &= attempt.is_current;
            attempt.has_outlived &= !matches!(attempt.phase, Phase::Settling(_));
        }
        self.workers.sort_unstable();
        self.late = self.late.filter(|attempt| attempt.is_current).map(|attempt| Attempt {
            has_outlived: false,
            is_last: false,
            ..attempt
        });
    }
}

impl Model for InOrder {
    type State = State;
    type Action = actions::Action;

    fn init_states(&self) -> Vec<State> {
        let row = Row { status: Status::Ready, tries: 0, has_run: false, effects: 0 };
        vec![State {
            rows: [row; LANES.len()],
            workers: [None; WORKERS],
            late: None,
            was_out_of_order: false,
            was_run_again: false,
            was_not_run: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<actions::Action>) {
        actions::possible(self, state, actions);
    }

    fn next_state(&self, state: &State, action: actions::Action) -> Option<State> {
        let mut next = state.clone();
        actions::act(&mut next, action, self.fault);
        next.normalize();
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("done has run", |_, state: &State| !state.was_not_run),
            Property::always("effects take place exactly once", |_, state: &State| {
                state.rows.iter().all(|row| row.effects <= 1)
            }),
            Property::always("no run starts after it is done", |_, state: &State| {
                !state.was_run_again
            }),
            Property::always("order of each repository", |_, state: &State| {
                !state.was_out_of_order
            }),
            Property::always("no overlap unless a lease was outlived", |_, state: &State| {
                let [Some(one), Some(other)] = state.workers else { return true };
                let overlap = one.runs() && other.runs() && LANES[one.row] == LANES[other.row];
                !overlap || one.has_outlived || other.has_outlived
            }),
            Property::always("no other repository is held up", |model: &Self, state: &State| {
                state.rows[2].status != Status::Ready || actions::is_free(model, state, 2)
            }),
            // That there is something to contradict.
            Property::sometimes("all is done", |_, state: &State| {
                state.rows.iter().all(|row| row.status == Status::Done)
            }),
            Property::sometimes("one is dead", |_, state: &State| {
                state.rows.iter().any(|row| row.status == Status::Dead)
            }),
        ]
    }
}
