//! Records a completion in a transaction of the user's.

use rusqlite::params;

use super::sql;
use crate::{
    duration::milliseconds,
    error::StoreError,
    transaction::{
        Transaction,
        sealed::{Completion, Sealed},
    },
};

impl Sealed for rusqlite::Transaction<'_> {}

impl Transaction for rusqlite::Transaction<'_> {
    type Outcome<'a>
        = Result<bool, StoreError>
    where
        Self: 'a;

    fn complete(&self, completion: Completion) -> Result<bool, StoreError> {
        // If the claim isn't in this database, nothing is recorded.
        let Completion { scope, id, owner, retention } = completion;
        let parameters = params![&*scope, id.as_bytes(), owner.as_bytes(), milliseconds(retention)];
        let changed = self
            .prepare_cached(sql::COMPLETE_OWN)
            .and_then(|mut statement| statement.execute(parameters));
        Ok(changed.map_err(StoreError::new)? > 0)
    }
}
