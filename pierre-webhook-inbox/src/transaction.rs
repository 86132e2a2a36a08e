//! The transactions that a delivery can be stored or completed in.

use self::sealed::{Complete, Insert};
use crate::entry::Inserted;

/// A transaction of your own, for [`Inbox::insert_in`](crate::Inbox::insert_in) and
/// [`Job::complete_in`](crate::Job::complete_in).
///
/// | transaction | feature | the outcome |
/// | --- | --- | --- |
/// | `rusqlite::Transaction` | `sqlite` | is a `Result` |
/// | `deadpool_postgres::Transaction` | `postgres` | is a future of a `Result` |
///
/// This trait is sealed.
pub trait Transaction: sealed::Sealed {
    /// A `Result<T, InboxError>`, or a future of it if the database is asynchronous.
    type Outcome<'a, T: Send + 'a>
    where
        Self: 'a;

    #[doc(hidden)]
    fn insert<'a>(&'a self, insert: Insert) -> Self::Outcome<'a, Inserted>;

    #[doc(hidden)]
    fn complete<'a>(&'a self, complete: Complete) -> Self::Outcome<'a, bool>;
}

#[expect(unnameable_types, reason = "names that nobody can write seal the trait")]
pub(crate) mod sealed {
    use crate::{row::NewRow, store::Ticket};

    pub trait Sealed {}

    #[derive(Debug)]
    pub struct Insert(pub(crate) NewRow);

    #[derive(Debug)]
    pub struct Complete(pub(crate) Ticket);
}
