//! Stores and completes deliveries in a transaction of the user's.

use crate::{
    entry::Inserted,
    store::StoreFuture,
    transaction::{
        Transaction,
        sealed::{Complete, Insert, Sealed},
    },
};

use super::{sql, write};

impl Sealed for deadpool_postgres::Transaction<'_> {}

impl Transaction for deadpool_postgres::Transaction<'_> {
    type Outcome<'a, T: Send + 'a>
        = StoreFuture<'a, T>
    where
        Self: 'a;

    fn insert<'a>(&'a self, insert: Insert) -> StoreFuture<'a, Inserted> {
        Box::pin(async move {
            let inserted = write::insert(self, &insert.0).await?;
            if inserted == Inserted::New {
                let notify = self.prepare_cached(sql::NOTIFY).await?;
                self.query(&notify, &[&&*insert.0.scope]).await?;
            }
            Ok(inserted)
        })
    }

    fn complete<'a>(&'a self, complete: Complete) -> StoreFuture<'a, bool> {
        Box::pin(async move { write::complete(self, &complete.0).await })
    }
}
