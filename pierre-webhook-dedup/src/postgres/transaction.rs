//! Records a completion in a transaction of the user's.

use super::sql;
use crate::{
    duration::milliseconds,
    error::StoreError,
    store::StoreFuture,
    transaction::{
        Transaction,
        sealed::{Completion, Sealed},
    },
};

impl Sealed for deadpool_postgres::Transaction<'_> {}

impl Transaction for deadpool_postgres::Transaction<'_> {
    type Outcome<'a>
        = StoreFuture<'a, bool>
    where
        Self: 'a;

    fn complete(&self, completion: Completion) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let (id, owner) =
                (completion.id.as_bytes().as_slice(), completion.owner.as_bytes().as_slice());
            let (scope, retention) = (&*completion.scope, milliseconds(completion.retention));
            let statement = self.prepare_cached(sql::COMPLETE_IN).await.map_err(StoreError::new)?;
            let changed = self.execute(&statement, &[&scope, &id, &owner, &retention]).await;
            Ok(changed.map_err(StoreError::new)? > 0)
        })
    }
}
