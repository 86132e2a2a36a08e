//! The transactions that a completion can be recorded in.

/// A transaction of your own, for [`Claim::complete_in`](crate::Claim::complete_in) and
/// [`LeaseHandle::complete_in`](crate::LeaseHandle::complete_in).
///
/// | transaction | feature | the outcome |
/// | --- | --- | --- |
/// | `deadpool_postgres::Transaction` | `postgres` | is a future of a `Result` |
/// | `rusqlite::Transaction` | `sqlite` | is a `Result` |
///
/// This trait is sealed.
pub trait Transaction: sealed::Sealed {
    /// A `Result<bool, StoreError>`, or a future of it if the database is asynchronous.
    type Outcome<'a>
    where
        Self: 'a;

    #[doc(hidden)]
    fn complete(&self, completion: sealed::Completion) -> Self::Outcome<'_>;
}

#[expect(unnameable_types, reason = "names that nobody can write seal the trait")]
pub(crate) mod sealed {
    use std::{sync::Arc, time::Duration};

    use pierre_webhook_core::DeliveryId;

    use crate::owner::Owner;

    pub trait Sealed {}

    /// What is recorded.
    #[derive(Clone, Debug)]
    pub struct Completion {
        pub scope: Arc<str>,
        pub id: DeliveryId,
        pub owner: Owner,
        pub retention: Duration,
    }
}
