//! The failure of a store.

use std::{error::Error, fmt, sync::Arc};

/// A store could not do what it was asked: it is down, too slow, full, or refuses to write.
///
/// Whether the operation took place is unknown: its answer may be what was lost. `Display` is the cause's
/// text, and [`source`](Error::source) the cause's source. The stores of this crate put no password in it.
#[derive(Clone)]
pub struct StoreError {
    cause: Arc<dyn Error + Send + Sync>,
}

impl StoreError {
    /// For a [`Store`](crate::Store) of your own.
    ///
    /// ```
    /// use pierre_webhook_dedup::StoreError;
    ///
    /// assert_eq!(StoreError::new("the table is locked").to_string(), "the table is locked");
    /// ```
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { cause: cause.into().into() }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.cause, f)
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StoreError").field(&self.cause).finish()
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.source()
    }
}
