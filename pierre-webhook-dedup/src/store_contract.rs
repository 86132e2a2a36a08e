//! Tests for your own [`Store`](crate::Store), behind the feature `store-contract`.
//!
//! [`store_contract!`](macro@crate::store_contract) expands to one `#[tokio::test]` for each check in this module.
//!
//! ```toml
//! [dev-dependencies]
//! pierre-webhook-dedup = { version = "0.1", features = ["store-contract"] }
//! tokio = { version = "1", features = ["macros", "rt"] }
//! ```
//!
//! In `tests/my_store.rs`:
//!
//! ```
//! # use pierre_webhook_dedup::MemoryStore as MyStore;
//! pierre_webhook_dedup::store_contract!(MyStore::new());
//! # fn main() {}
//! ```
//!
//! The expression is evaluated anew in each test, and may `.await`. If a test needs more, such as a server that
//! lives as long as the store, or a reason to skip, write a closure that takes the check:
//!
//! ```
//! pierre_webhook_dedup::store_contract!(|check| {
//!     let Some(database) = Database::start() else { return };
//!     check(&MyStore::connect(database.url()).await).await
//! });
//! # fn main() {}
//! ```
//!
//! A check can also be called by itself:
//!
//! ```
//! use pierre_webhook_dedup::{MemoryStore, store_contract};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! store_contract::scopes_are_separate(&MemoryStore::new()).await;
//! # }
//! ```
//!
//! Each check uses new random keys, so tests can share a database and leave their records in it. Some checks wait
//! for a lease of 150 ms to expire, on a tokio runtime with its clock enabled.
//!
//! # Panics
//!
//! A check panics if the store breaks the contract or returns an error.

mod checks;
mod probe;

pub use self::checks::{
    a_claim_in_progress_tells_what_is_left_of_its_lease,
    a_completed_key_never_goes_back_to_in_progress, a_completion_is_recorded_even_without_a_claim,
    a_released_or_abandoned_key_can_be_claimed,
    a_renewal_claims_a_key_without_a_record_for_a_whole_lease, a_repeated_claim_is_still_yours,
    a_repeated_completion_does_not_extend_the_retention,
    an_owner_whose_lease_expired_cannot_touch_the_claim_of_another,
    forget_removes_a_record_in_progress_or_completed, no_duration_is_too_short_or_too_long,
    only_one_of_many_claims_of_a_key_wins, scopes_are_separate,
    the_fencing_token_grows_with_each_claim,
};

/// Expands to one `#[tokio::test]` for each check in [`store_contract`](mod@crate::store_contract), which has
/// examples.
///
/// Takes an expression that creates a store, or a closure `|check| { .. }` that creates one and calls
/// `check(&store).await`.
#[macro_export]
macro_rules! store_contract {
    (|$check:ident| $body:block) => {
        $crate::store_contract! { @tests $check $body
            only_one_of_many_claims_of_a_key_wins
            a_repeated_claim_is_still_yours
            a_claim_in_progress_tells_what_is_left_of_its_lease
            a_completed_key_never_goes_back_to_in_progress
            an_owner_whose_lease_expired_cannot_touch_the_claim_of_another
            a_completion_is_recorded_even_without_a_claim
            a_repeated_completion_does_not_extend_the_retention
            a_renewal_claims_a_key_without_a_record_for_a_whole_lease
            a_released_or_abandoned_key_can_be_claimed
            forget_removes_a_record_in_progress_or_completed
            the_fencing_token_grows_with_each_claim
            scopes_are_separate
            no_duration_is_too_short_or_too_long
        }
    };
    (@tests $check:ident $body:block $($name:ident)*) => {$(
        #[tokio::test]
        async fn $name() {
            let $check = $crate::store_contract::$name;
            $body
        }
    )*};
    ($store:expr) => {
        $crate::store_contract!(|check| {
            let store = $store;
            check(&store).await
        });
    };
}
