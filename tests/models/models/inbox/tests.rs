use super::{Fault, InOrder, Row, State, Status};
use crate::search::{contradicts, holds, stuck};

/// How many states there are is in the README of the crate.
#[test]
fn the_guarantees_hold_in_every_state() {
    assert_eq!(holds(InOrder::default()), 494_030);
    assert_eq!(holds(InOrder { dead_holds: true, ..InOrder::default() }), 347_699);
}

#[test]
fn from_every_state_every_delivery_ends() {
    let has_ended = |state: &State| state.rows.iter().all(Row::has_ended);
    assert_eq!(stuck(&InOrder::default(), has_ended, |_| false, 0), None);
}

#[test]
fn a_dead_delivery_holds_only_its_repository() {
    let model = InOrder { dead_holds: true, ..InOrder::default() };
    let has_ended = |state: &State| {
        let [first, second, other] = &state.rows;
        other.has_ended() && (first.status == Status::Dead || second.has_ended())
    };
    assert_eq!(stuck(&model, has_ended, |_| false, 0), None);
    assert!(stuck(&model, |state| state.rows.iter().all(Row::has_ended), |_| false, 0).is_some());
}

#[test]
fn seeded_faults_are_found() {
    for (fault, property) in [
        (Fault::SettleIgnoresAttempt, "no overlap unless a lease was outlived"),
        (Fault::TakeIgnoresLease, "no overlap unless a lease was outlived"),
        (Fault::OrderIgnoresRunning, "order of each repository"),
        (Fault::OrderIgnoresRepository, "no other repository is held up"),
        (Fault::EffectOutsideTransaction, "effects take place exactly once"),
        (Fault::StartIgnoresLease, "no run starts after it is done"),
    ] {
        let model = InOrder { fault: Some(fault), ..InOrder::default() };
        println!("{fault:?}: {:?}", contradicts(model, property));
    }
}
