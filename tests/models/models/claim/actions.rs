//! What may happen in a state, and what it leads to.

use super::{
    Attempt, DELIVERIES, Fault, Phase, State, WORKERS,
    store::{Kind, Record, Request, Store},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// The delivery arrives at an idle worker, which claims it.
    Arrive {
        worker: usize,
        delivery: usize,
    },
    /// The store does what a worker asks for. The answer arrives, except that of a claim that is granted.
    Serve(usize),
    /// The store does it, and the answer is lost.
    LoseAnswer(usize),
    /// The request is lost.
    LoseRequest(usize),
    /// The worker no longer waits for the store, which gets the request later.
    Delay(usize),
    /// A worker learns that it holds the delivery, and begins.
    Begin(usize),
    Renew(usize),
    Succeed(usize),
    /// The work fails, or is dropped.
    Fail(usize),
    /// A claim is dropped before its answer, or an end is no longer tried again.
    GiveUp(usize),
    /// The process dies. What it asked for is lost.
    Crash(usize),
    ServeLate,
    LoseLate,
    /// A lease expires.
    Expire(usize),
    RestartWithoutLastWrite,
    RestartEmpty,
}

pub(super) fn possible(state: &State, actions: &mut Vec<Action>) {
    for worker in 0..WORKERS {
        let Some(attempt) = state.workers[worker] else {
            actions.extend((0..DELIVERIES).map(|delivery| Action::Arrive { worker, delivery }));
            continue;
        };
        actions.push(Action::Crash(worker));
        if request(&attempt).is_some() {
            actions.extend([
                Action::Serve(worker),
                Action::LoseAnswer(worker),
                Action::LoseRequest(worker),
            ]);
            if state.late.is_none() {
                actions.push(Action::Delay(worker));
            }
        }
        match attempt.phase {
            Phase::Granted => actions.extend([Action::Begin(worker), Action::GiveUp(worker)]),
            Phase::Working => {
                actions.extend([
                    Action::Renew(worker),
                    Action::Succeed(worker),
                    Action::Fail(worker),
                ]);
            }
            Phase::Claiming | Phase::Completing => actions.push(Action::GiveUp(worker)),
            Phase::Renewing | Phase::Releasing => {}
        }
    }
    if state.late.is_some() {
        actions.extend([Action::ServeLate, Action::LoseLate]);
    }
    for delivery in 0..DELIVERIES {
        if matches!(state.store.records[delivery], Record::Held(_)) {
            actions.push(Action::Expire(delivery));
        }
    }
    if state.before.is_some() {
        actions.extend([Action::RestartWithoutLastWrite, Action::RestartEmpty]);
    }
}

pub(super) fn act(state: &mut State, action: Action, fault: Option<Fault>) {
    match action {
        Action::Arrive { worker, delivery } => {
            let owner = state.new_owner();
            let phase = Phase::Claiming;
            state.workers[worker] = Some(Attempt { phase, delivery, has_outlived: false, owner });
        }
        Action::Serve(worker) => {
            let Some(attempt) = state.workers[worker] else { return };
            let Some(request) = request(&attempt) else { return };
            let is_granted = serve(state, request, fault);
            state.workers[worker] = match attempt.phase {
                Phase::Claiming if is_granted => Some(Attempt { phase: Phase::Granted, ..attempt }),
                Phase::Renewing => {
                    let has_outlived = attempt.has_outlived && !is_granted;
                    Some(Attempt { phase: Phase::Working, has_outlived, ..attempt })
                }
                _ => None,
            };
        }
        Action::LoseAnswer(worker) => {
            let Some(attempt) = state.workers[worker] else { return };
            if let Some(request) = request(&attempt) {
                serve(state, request, fault);
            }
            state.workers[worker] = without_answer(attempt);
        }
        Action::LoseRequest(worker) => {
            state.workers[worker] = state.workers[worker].and_then(without_answer);
        }
        Action::Delay(worker) => {
            state.late = state.workers[worker].as_ref().and_then(request);
            state.workers[worker] = state.workers[worker].and_then(without_answer);
        }
        Action::Begin(worker)
        | Action::Renew(worker)
        | Action::Succeed(worker)
        | Action::Fail(worker) => {
            let Some(attempt) = &mut state.workers[worker] else { return };
            attempt.phase = match action {
                Action::Begin(_) => Phase::Working,
                Action::Renew(_) => Phase::Renewing,
                Action::Succeed(_) => Phase::Completing,
                _ => Phase::Releasing,
            };
        }
        Action::GiveUp(worker) => {
            state.workers[worker] = match state.workers[worker] {
                Some(attempt) if attempt.phase == Phase::Completing => None,
                Some(attempt) => Some(Attempt { phase: Phase::Releasing, ..attempt }),
                None => None,
            };
        }
        Action::Crash(worker) => state.workers[worker] = None,
        Action::ServeLate => {
            if let Some(request) = state.late.take() {
                serve(state, request, fault);
            }
        }
        Action::LoseLate => state.late = None,
        Action::Expire(delivery) => {
            let Record::Held(owner) = state.store.records[delivery] else { return };
            state.store.records[delivery] = Record::Absent;
            for attempt in state.workers.iter_mut().flatten() {
                attempt.has_outlived |= attempt.owner == owner;
            }
        }
        Action::RestartWithoutLastWrite => {
            if let Some(before) = state.before.take() {
                state.store = before;
                state.has_lost_writes = true;
            }
        }
        Action::RestartEmpty => {
            state.before = None;
            state.store = Store::default();
            state.has_lost_writes = true;
        }
    }
}

/// What a worker waits for.
fn request(attempt: &Attempt) -> Option<Request> {
    let kind = match attempt.phase {
        Phase::Claiming => Kind::Claim,
        Phase::Renewing => Kind::Renew,
        Phase::Completing => Kind::Complete,
        Phase::Releasing => Kind::Release,
        Phase::Granted | Phase::Working => return None,
    };
    Some(Request { kind, delivery: attempt.delivery, owner: attempt.owner })
}

fn serve(state: &mut State, request: Request, fault: Option<Fault>) -> bool {
    let before = state.store.clone();
    let is_granted = state.store.serve(request, fault);
    if state.before.is_some() && state.store != before {
        state.before = Some(before);
    }
    let was_recorded = &mut state.was_recorded[request.delivery];
    match request.kind {
        Kind::Claim => state.was_granted_again |= is_granted && *was_recorded,
        Kind::Complete => *was_recorded |= is_granted,
        Kind::Renew | Kind::Release => {}
    }
    is_granted
}

/// What a worker does without an answer. A claim and a completion are tried again, and may be given up; a release is
/// left to the end of the lease.
fn without_answer(attempt: Attempt) -> Option<Attempt> {
    match attempt.phase {
        Phase::Renewing => Some(Attempt { phase: Phase::Working, ..attempt }),
        Phase::Releasing => None,
        _ => Some(attempt),
    }
}
