//! `StoreError`: why a store failed.

use std::{error::Error, fmt, sync::Arc};

/// The error of a store that is down, too slow, full, or read-only.
///
/// The operation may still have taken place, if only its answer was lost. `Display` prints the cause, and
/// [`source`](Error::source) is the cause's source. The stores of this crate never put a password in it.
#[derive(Clone)]
pub struct StoreError {
    cause: Arc<dyn Error + Send + Sync>,
}

impl StoreError {
    /// Wraps a cause, for your own [`Store`](crate::Store).
    ///
    /// ```
    /// use pierre_webhook_dedup::StoreError;
    ///
    /// assert_eq!(StoreError::new("the table is locked").to_string(), "the table is locked");
    /// ```
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { cause: cause.into().into() }
    }

    #[cfg(feature = "metrics")]
    pub(crate) fn is_shutting_down(&self) -> bool {
        self.cause.is::<ShuttingDown>()
    }
}

/// Why nothing is claimed after [`Dedup::shutdown`](crate::Dedup::shutdown).
#[derive(Debug)]
pub(crate) struct ShuttingDown;

impl fmt::Display for ShuttingDown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the service is shutting down")
    }
}

impl Error for ShuttingDown {}

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
