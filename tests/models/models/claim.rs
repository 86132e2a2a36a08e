//! The claim protocol of `pierre-webhook-dedup`: three workers, two deliveries, one store.
//!
//! | here | in the crate |
//! | --- | --- |
//! | [`Store`] | the scripts in `redis/script.rs`, and the statements of the other stores |
//! | [`Attempt`] and its phases | `claim.rs`, `lease.rs`, `run.rs`, `unrecorded.rs` |
//!
//! Every attempt is a new owner. Its number is one that nothing refers to any more, so that the states are finite though
//! the attempts aren't. A request may be lost before the store or after it, and one may be delayed for as long as it
//! likes: the store was frozen, say. Workers and deliveries are alike, so of all states that differ in
//! their order only one is visited.

mod actions;
mod store;

mod tests;

use stateright::{Model, Property};

use self::store::{Record, Request, Store};

pub(crate) const WORKERS: usize = 3;
pub(crate) const DELIVERIES: usize = 2;

/// A mistake in the protocol, to see it found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Attempts share an owner, so that a store takes one for another.
    OneOwnerForAll,
    /// A claim doesn't look for a completion.
    ClaimIgnoresCompletion,
    /// A renewal takes the lease from another.
    RenewalIgnoresOwner,
    /// A renewal turns a completion back into a lease.
    RenewalRevives,
    /// A release ends the lease of another.
    ReleaseIgnoresOwner,
    /// A lease doesn't expire.
    LeaseWithoutEnd,
}

/// The protocol, and what may happen to it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Claims {
    pub(crate) fault: Option<Fault>,
    /// The store may restart once, without its last write or without all.
    pub(crate) may_lose_writes: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    store: Store,
    /// The store before its last write, while it may lose that.
    before: Option<Store>,
    has_lost_writes: bool,
    workers: [Option<Attempt>; WORKERS],
    /// A request whose sender no longer waits for it.
    late: Option<Request>,
    /// Whether the completion of a delivery was ever recorded.
    was_recorded: [bool; DELIVERIES],
    /// Whether a delivery was granted to an attempt after that.
    was_granted_again: bool,
}

/// What a worker does: one attempt at one delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Attempt {
    phase: Phase,
    delivery: usize,
    /// The lease has expired under it.
    has_outlived: bool,
    owner: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// The claim is under way.
    Claiming,
    /// The store has granted it, and the answer is under way.
    Granted,
    Working,
    /// It works, and a renewal is under way. Nothing ends the work until that is answered or given up.
    Renewing,
    /// The work has succeeded, and the completion is under way.
    Completing,
    /// The work has failed, or was dropped, and the release is under way.
    Releasing,
}

impl Attempt {
    fn works(&self) -> bool {
        matches!(self.phase, Phase::Working | Phase::Renewing)
    }
}

impl Model for Claims {
    type State = State;
    type Action = actions::Action;

    fn init_states(&self) -> Vec<State> {
        let store = Store::default();
        vec![State {
            before: self.may_lose_writes.then(|| store.clone()),
            store,
            has_lost_writes: false,
            workers: [None; WORKERS],
            late: None,
            was_recorded: [false; DELIVERIES],
            was_granted_again: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<actions::Action>) {
        actions::possible(state, actions);
    }

    fn next_state(&self, state: &State, action: actions::Action) -> Option<State> {
        let mut next = state.clone();
        actions::act(&mut next, action, self.fault);
        next.normalize();
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("not handled again after its record", |_, state: &State| {
                !state.was_granted_again || state.has_lost_writes
            }),
            Property::always("no overlap unless a lease was outlived", |_, state: &State| {
                state.overlaps().all(|(one, other)| {
                    one.has_outlived || other.has_outlived || state.has_lost_writes
                })
            }),
            Property::always("every lease ends", |_, state: &State| {
                !state.store.records.contains(&Record::HeldForever)
            }),
            // That there is something to contradict.
            Property::sometimes("overlap of an outlived lease", |_, state: &State| {
                state.overlaps().next().is_some()
            }),
            Property::sometimes("all is recorded", |_, state: &State| state.is_done()),
        ]
    }
}

impl State {
    pub(crate) fn is_done(&self) -> bool {
        self.store.records.iter().all(|record| matches!(record, Record::Completed(_)))
    }

    fn overlaps(&self) -> impl Iterator<Item = (Attempt, Attempt)> {
        let at = |number: usize| self.workers[number].filter(Attempt::works);
        [(0, 1), (0, 2), (1, 2)]
            .into_iter()
            .filter_map(move |(one, other)| Some((at(one)?, at(other)?)))
            .filter(|(one, other)| one.delivery == other.delivery)
    }

    /// Returns an owner that nothing refers to.
    fn new_owner(&self) -> u8 {
        let of_workers = self.workers.iter().flatten().map(|attempt| attempt.owner);
        let stores = [Some(&self.store), self.before.as_ref()].into_iter().flatten();
        let of_records = stores.flat_map(|store| &store.records).filter_map(Record::owner);
        let of_late = self.late.iter().map(|request| request.owner);
        let used: Vec<u8> = of_workers.chain(of_records).chain(of_late).collect();
        (0..).find(|owner| !used.contains(owner)).unwrap_or_default()
    }

    /// Puts what is alike into one order.
    fn normalize(&mut self) {
        self.order();
        let mut swapped = self.clone();
        swapped.swap_deliveries();
        swapped.order();
        if swapped.rank() < self.rank() {
            *self = swapped;
        }
    }

    fn swap_deliveries(&mut self) {
        self.store.records.swap(0, 1);
        if let Some(before) = &mut self.before {
            before.records.swap(0, 1);
        }
        self.was_recorded.swap(0, 1);
        for attempt in self.workers.iter_mut().flatten() {
            attempt.delivery = 1 - attempt.delivery;
        }
        if let Some(late) = &mut self.late {
            late.delivery = 1 - late.delivery;
        }
    }

    /// Orders the workers, and numbers the owners as they then appear.
    fn order(&mut self) {
        self.workers.sort_unstable();
        let mut names = Vec::new();
        let mut rename = |owner: &mut u8| {
            let number = names.iter().position(|known| known == owner).unwrap_or_else(|| {
                names.push(*owner);
                names.len() - 1
            });
            *owner = u8::try_from(number).unwrap_or(u8::MAX);
        };
        for attempt in self.workers.iter_mut().flatten() {
            rename(&mut attempt.owner);
        }
        for store in [Some(&mut self.store), self.before.as_mut()].into_iter().flatten() {
            store.records.iter_mut().filter_map(Record::owner_mut).for_each(&mut rename);
        }
        if let Some(late) = &mut self.late {
            rename(&mut late.owner);
        }
        self.workers.sort_unstable();
    }

    fn rank(&self) -> impl Ord + use<> {
        (self.workers, self.store.clone(), self.before.clone(), self.late, self.was_recorded)
    }
}
