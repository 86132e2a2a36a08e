//! Stores and completes deliveries in a transaction of the user's.

use super::write;
use crate::{
    entry::Inserted,
    error::InboxError,
    transaction::{
        Transaction,
        sealed::{Complete, Insert, Sealed},
    },
};

impl Sealed for rusqlite::Transaction<'_> {}

impl Transaction for rusqlite::Transaction<'_> {
    type Outcome<'a, T: Send + 'a>
        = Result<T, InboxError>
    where
        Self: 'a;

    fn insert(&self, insert: Insert) -> Result<Inserted, InboxError> {
        Ok(write::insert(self, &insert.0)?)
    }

    fn complete(&self, complete: Complete) -> Result<bool, InboxError> {
        Ok(write::complete(self, &complete.0)?)
    }
}
