//! `InboxError`: why the inbox failed.

use std::{error::Error, fmt, sync::Arc};

/// The error of an inbox that is full, or whose database is down, too slow, full or read-only.
///
/// Nothing has been acknowledged. The write may still have taken place, if only its answer was lost: the delivery is
/// then [`Known`](crate::Inserted::Known) when it is sent again.
///
/// `Display` prints the whole chain of causes, which never contains a password or a delivery's body.
#[derive(Clone, Debug)]
pub struct InboxError {
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Full {
        most: u64,
    },
    TimedOut,
    #[cfg(feature = "sqlite")]
    Busy,
    Database(Arc<dyn Error + Send + Sync>),
}

impl InboxError {
    pub(crate) fn full(most: u64) -> Self {
        Self { kind: Kind::Full { most } }
    }

    pub(crate) fn timed_out() -> Self {
        Self { kind: Kind::TimedOut }
    }

    #[cfg(feature = "sqlite")]
    pub(crate) fn busy() -> Self {
        Self { kind: Kind::Busy }
    }

    pub(crate) fn database(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind: Kind::Database(cause.into().into()) }
    }

    /// Returns a stable text for logs and metrics: `inbox_full`, or `inbox_unavailable` if the database failed. It is
    /// the `code` of the receiver's response too.
    pub fn code(&self) -> &'static str {
        if self.is_full() { "inbox_full" } else { "inbox_unavailable" }
    }

    /// Returns whether the inbox rejected a delivery because too many wait: see
    /// [`Inbox::max_waiting`](crate::Inbox::max_waiting).
    pub fn is_full(&self) -> bool {
        matches!(self.kind, Kind::Full { .. })
    }
}

impl fmt::Display for InboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Full { most } => write!(f, "the inbox is full: {most} deliveries wait"),
            Kind::TimedOut => f.write_str("the database did not answer in time"),
            #[cfg(feature = "sqlite")]
            Kind::Busy => f.write_str("too many operations wait for the database"),
            Kind::Database(cause) => {
                write!(f, "the database failed: {cause}")?;
                let mut cause = cause.source();
                while let Some(next) = cause {
                    write!(f, ": {next}")?;
                    cause = next.source();
                }
                Ok(())
            }
        }
    }
}

impl Error for InboxError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.kind {
            Kind::Database(cause) => Some(&**cause),
            _ => None,
        }
    }
}

#[cfg(feature = "sqlite")]
impl From<rusqlite::Error> for InboxError {
    fn from(error: rusqlite::Error) -> Self {
        Self::database(error)
    }
}

#[cfg(feature = "postgres")]
impl From<tokio_postgres::Error> for InboxError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::database(error)
    }
}
