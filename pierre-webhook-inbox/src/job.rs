//! `Job`: a delivery that a worker has taken.

use std::{ops::Deref, sync::Arc};

use pierre_webhook_core::{Delivery, DeliveryId};

use crate::{
    store::Ticket,
    transaction::{Transaction, sealed::Complete},
};

/// A delivery that a [`Worker`](crate::Worker) has taken, for the function that handles it.
///
/// It derefs to the [`Delivery`], whose event was read again from the stored bytes. Clones share it.
#[derive(Clone, Debug)]
pub struct Job {
    delivery: Arc<Delivery>,
    ticket: Ticket,
    tries: u32,
}

impl Job {
    pub(crate) fn new(delivery: Delivery, ticket: Ticket, tries: u32) -> Self {
        Self { delivery: Arc::new(delivery), ticket, tries }
    }

    /// Returns the delivery's id, as it is stored.
    pub fn id(&self) -> DeliveryId {
        self.ticket.id
    }

    /// Returns the fencing number of this attempt: each time the delivery is taken, it is higher by one.
    ///
    /// A resource outside of the database that remembers the highest number it has seen can refuse an attempt that
    /// was taken over.
    pub fn attempt(&self) -> u64 {
        u64::try_from(self.ticket.attempt).unwrap_or_default()
    }

    /// Returns which try this is, from 1. Unlike [`attempt`](Self::attempt), it starts again after
    /// [`Inbox::retry`](crate::Inbox::retry).
    pub fn tries(&self) -> u32 {
        self.tries
    }

    /// Completes the delivery in a transaction of your own: then the effects in it take place exactly once.
    ///
    /// Returns false if the delivery was completed before, or another attempt took over, as when this process paused
    /// for longer than its lease. **Roll back then.** Otherwise commit, and return `Ok`: once the commit has succeeded
    /// nothing runs the delivery again, whatever the function returns.
    ///
    /// With `rusqlite` this returns the result itself, with PostgreSQL a future of it. The transaction must be of the
    /// database that has the inbox. Keep it short: in SQLite it holds up everything that writes.
    ///
    /// # Errors
    ///
    /// If the statement fails, for example since the connection is lost. Roll back, and return the error: the delivery
    /// is tried again.
    ///
    /// ```
    /// use pierre_webhook_inbox::{Job, rusqlite::Connection};
    ///
    /// // SQLite blocks, so run this with `tokio::task::spawn_blocking`.
    /// fn count(job: &Job, connection: &mut Connection) -> Result<(), Box<dyn std::error::Error>> {
    ///     let transaction = connection.transaction()?;
    ///     transaction.execute("UPDATE counts SET pushes = pushes + 1", [])?;
    ///     if job.complete_in(&transaction)? {
    ///         transaction.commit()?;
    ///     } // Otherwise it is dropped, which rolls it back.
    ///     Ok(())
    /// }
    /// ```
    pub fn complete_in<'a, T: Transaction>(&self, transaction: &'a T) -> T::Outcome<'a, bool> {
        transaction.complete(Complete(self.ticket.clone()))
    }
}

impl Deref for Job {
    type Target = Delivery;

    fn deref(&self) -> &Delivery {
        &self.delivery
    }
}
