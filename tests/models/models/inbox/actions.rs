//! What may happen in a state, and what it leads to.

use super::{Attempt, Fault, InOrder, LANES, MAX_ATTEMPTS, Outcome, Phase, State, Status, WORKERS};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Take {
        worker: usize,
        row: usize,
    },
    /// The answer of a taking is lost: nobody runs the row.
    LoseTaken(usize),
    Start(usize),
    Renew(usize),
    /// The work succeeds, and completes the delivery in its transaction.
    CompleteIn(usize),
    Succeed(usize),
    Fail(usize),
    /// A shutdown gives the delivery back.
    GiveBack(usize),
    /// The database does what a worker asks for.
    Serve(usize),
    /// It does, and the answer is lost.
    LoseAnswer(usize),
    LoseRequest(usize),
    /// The worker no longer waits for the database, which settles the row later.
    Delay(usize),
    /// The process dies. What it asked for is lost.
    Crash(usize),
    ServeLate,
    LoseLate,
    /// A backoff is over.
    Due(usize),
    /// A lease expires.
    Expire(usize),
}

pub(super) fn possible(model: &InOrder, state: &State, actions: &mut Vec<Action>) {
    for worker in 0..WORKERS {
        let Some(attempt) = state.workers[worker] else {
            let free = (0..LANES.len()).filter(|&row| is_free(model, state, row));
            actions.extend(free.map(|row| Action::Take { worker, row }));
            continue;
        };
        actions.push(Action::Crash(worker));
        match attempt.phase {
            Phase::Taken => actions.extend([Action::LoseTaken(worker), Action::Start(worker)]),
            Phase::Running => actions.extend([
                Action::Renew(worker),
                Action::CompleteIn(worker),
                Action::Succeed(worker),
                Action::Fail(worker),
                Action::GiveBack(worker),
            ]),
            Phase::Renewing | Phase::CompletingIn | Phase::Settling(_) => {
                actions.extend([
                    Action::Serve(worker),
                    Action::LoseAnswer(worker),
                    Action::LoseRequest(worker),
                ]);
                if state.late.is_none() {
                    actions.push(Action::Delay(worker));
                }
            }
        }
    }
    if state.late.is_some() {
        actions.extend([Action::ServeLate, Action::LoseLate]);
    }
    for (number, row) in state.rows.iter().enumerate() {
        match row.status {
            Status::BackingOff => actions.push(Action::Due(number)),
            Status::Running => actions.push(Action::Expire(number)),
            _ => {}
        }
    }
}

/// Whether the row is due and nothing is in its way.
pub(super) fn is_free(model: &InOrder, state: &State, number: usize) -> bool {
    let is_due = match state.rows[number].status {
        Status::Ready | Status::LeaseExpired => true,
        Status::Running => model.fault == Some(Fault::TakeIgnoresLease),
        _ => false,
    };
    let is_in_the_way = |(other, row): (usize, &super::Row)| {
        let is_same_lane =
            LANES[other] == LANES[number] || model.fault == Some(Fault::OrderIgnoresRepository);
        let blocks = match row.status {
            Status::Ready | Status::BackingOff => other < number,
            Status::Dead => model.dead_holds && other < number,
            Status::Running | Status::LeaseExpired => {
                other != number && model.fault != Some(Fault::OrderIgnoresRunning)
            }
            Status::Done => false,
        };
        is_same_lane && blocks
    };
    is_due && !state.rows.iter().enumerate().any(is_in_the_way)
}

pub(super) fn act(state: &mut State, action: Action, fault: Option<Fault>) {
    match action {
        Action::Take { worker, row } => take(state, worker, row),
        Action::LoseTaken(worker) | Action::Crash(worker) => state.workers[worker] = None,
        Action::Start(worker) => state.workers[worker] = start(state, worker, fault),
        Action::Renew(worker) => enter(state, worker, Phase::Renewing),
        Action::CompleteIn(worker) => {
            if let (Some(Fault::EffectOutsideTransaction), Some(attempt)) =
                (fault, state.workers[worker])
            {
                state.rows[attempt.row].effects += 1;
            }
            enter(state, worker, Phase::CompletingIn);
        }
        Action::Succeed(worker) => enter(state, worker, Phase::Settling(Outcome::Done)),
        Action::Fail(worker) => {
            let is_last = state.workers[worker].is_some_and(|attempt| attempt.is_last);
            let outcome = if is_last { Outcome::Dead } else { Outcome::Again };
            enter(state, worker, Phase::Settling(outcome));
        }
        Action::GiveBack(worker) => enter(state, worker, Phase::Settling(Outcome::NotRun)),
        Action::Serve(worker) => {
            let Some(attempt) = state.workers[worker] else { return };
            serve(state, attempt, fault);
            // Serving may have changed what is current.
            state.workers[worker] = match attempt.phase {
                Phase::Renewing => state.workers[worker].map(|attempt| Attempt {
                    phase: Phase::Running,
                    has_outlived: attempt.has_outlived && !attempt.is_current,
                    ..attempt
                }),
                _ => None,
            };
        }
        Action::LoseAnswer(worker) => {
            let Some(attempt) = state.workers[worker] else { return };
            serve(state, attempt, fault);
            state.workers[worker] = state.workers[worker].and_then(without_answer);
        }
        Action::LoseRequest(worker) => {
            state.workers[worker] = state.workers[worker].and_then(without_answer);
        }
        Action::Delay(worker) => {
            state.late = state.workers[worker];
            state.workers[worker] = state.workers[worker].and_then(without_answer);
        }
        Action::ServeLate => {
            if let Some(attempt) = state.late.take() {
                serve(state, attempt, fault);
            }
        }
        Action::LoseLate => state.late = None,
        Action::Due(row) => state.rows[row].status = Status::Ready,
        Action::Expire(row) => {
            state.rows[row].status = Status::LeaseExpired;
            for attempt in state.workers.iter_mut().flatten() {
                attempt.has_outlived |= attempt.row == row && attempt.is_current;
            }
        }
    }
}

fn take(state: &mut State, worker: usize, number: usize) {
    supersede(state, number);
    let earlier = state.rows[..number].iter().zip(LANES);
    let is_early = earlier.into_iter().any(|(row, lane)| lane == LANES[number] && !row.has_ended());
    state.was_out_of_order |= is_early;
    let row = &mut state.rows[number];
    row.status = Status::Running;
    row.tries = row.tries.saturating_add(1).min(MAX_ATTEMPTS + 1);
    state.workers[worker] = Some(Attempt {
        row: number,
        phase: Phase::Taken,
        is_current: true,
        has_outlived: false,
        is_too_many: row.tries > MAX_ATTEMPTS,
        is_last: row.tries >= MAX_ATTEMPTS,
    });
}

/// A worker learns what it has taken.
fn start(state: &mut State, worker: usize, fault: Option<Fault>) -> Option<Attempt> {
    let attempt = state.workers[worker]?;
    if attempt.is_too_many {
        return Some(Attempt { phase: Phase::Settling(Outcome::Dead), ..attempt });
    }
    if attempt.has_outlived && fault != Some(Fault::StartIgnoresLease) {
        return None;
    }
    let row = &mut state.rows[attempt.row];
    row.has_run = true;
    state.was_run_again |= row.status == Status::Done;
    Some(Attempt { phase: Phase::Running, ..attempt })
}

fn enter(state: &mut State, worker: usize, phase: Phase) {
    if let Some(attempt) = &mut state.workers[worker] {
        attempt.phase = phase;
    }
}

fn serve(state: &mut State, attempt: Attempt, fault: Option<Fault>) {
    let row = &mut state.rows[attempt.row];
    let is_running = matches!(row.status, Status::Running | Status::LeaseExpired);
    let is_current = attempt.is_current || fault == Some(Fault::SettleIgnoresAttempt);
    if !is_running || !is_current {
        return;
    }
    row.status = match attempt.phase {
        Phase::Renewing => Status::Running,
        Phase::CompletingIn => {
            row.effects += u8::from(fault != Some(Fault::EffectOutsideTransaction));
            Status::Done
        }
        Phase::Settling(Outcome::Done) => Status::Done,
        Phase::Settling(Outcome::Dead) => Status::Dead,
        Phase::Settling(Outcome::Again) => Status::BackingOff,
        Phase::Settling(Outcome::NotRun) => {
            row.tries = row.tries.saturating_sub(1);
            Status::Ready
        }
        Phase::Taken | Phase::Running => return,
    };
    state.was_not_run |= row.status == Status::Done && !row.has_run;
    if attempt.phase != Phase::Renewing {
        supersede(state, attempt.row);
    }
}

/// No attempt so far has the number of the row any more.
fn supersede(state: &mut State, row: usize) {
    let attempts = state.workers.iter_mut().flatten().chain(&mut state.late);
    for attempt in attempts.filter(|attempt| attempt.row == row) {
        attempt.is_current = false;
    }
}

/// What a worker does without an answer. A settlement is tried again. A transaction that may have been
/// committed is an error to the handler, which has failed then.
fn without_answer(attempt: Attempt) -> Option<Attempt> {
    let outcome = if attempt.is_last { Outcome::Dead } else { Outcome::Again };
    let phase = match attempt.phase {
        Phase::Renewing => Phase::Running,
        Phase::CompletingIn => Phase::Settling(outcome),
        phase => phase,
    };
    Some(Attempt { phase, ..attempt })
}
