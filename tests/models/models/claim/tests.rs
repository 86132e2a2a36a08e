use super::{Claims, Fault, actions::Action};
use crate::search::{contradicts, holds, stuck};

const AGAIN: &str = "not handled again after its record";
const OVERLAP: &str = "no overlap unless a lease was outlived";
const ENDLESS: &str = "every lease ends";

fn with(fault: Fault) -> Claims {
    Claims { fault: Some(fault), ..Claims::default() }
}

/// How many states there are is in the README of the crate.
#[test]
fn the_promise_holds_in_every_state() {
    assert_eq!(holds(Claims::default()), 204_649);
}

/// Then a delivery may be handled again, but no lease is without an end.
#[test]
fn a_store_that_loses_writes_strands_nothing() {
    assert_eq!(holds(Claims { may_lose_writes: true, ..Claims::default() }), 2_327_616);
}

#[test]
fn from_every_state_all_is_done_once_each_lease_has_expired() {
    let expires = |action: &Action| matches!(action, Action::Expire(_));
    // One lease for each delivery.
    assert_eq!(stuck(&Claims::default(), super::State::is_done, expires, 2), None);
}

#[test]
fn seeded_faults_are_found() {
    for (fault, property) in [
        (Fault::OneOwnerForAll, OVERLAP),
        (Fault::ClaimIgnoresCompletion, AGAIN),
        (Fault::RenewalIgnoresOwner, OVERLAP),
        (Fault::RenewalRevives, AGAIN),
        (Fault::ReleaseIgnoresOwner, OVERLAP),
        (Fault::LeaseWithoutEnd, ENDLESS),
    ] {
        println!("{fault:?}: {:?}", contradicts(with(fault), property));
    }
}

#[test]
fn a_lease_without_end_strands_its_delivery() {
    let stranded = stuck(&with(Fault::LeaseWithoutEnd), super::State::is_done, |_| false, 0);
    assert!(stranded.is_some());
}
