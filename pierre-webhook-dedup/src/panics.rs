//! Panics of a store.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
};

use crate::error::StoreError;

/// Turns a panic of the store into an error, so that the operation can be retried.
pub(crate) async fn unless_it_panics<T>(
    operation: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let mut operation = pin!(operation);
    poll_fn(|cx| {
        let poll = AssertUnwindSafe(|| operation.as_mut().poll(cx));
        catch_unwind(poll)
            .unwrap_or_else(|_| Poll::Ready(Err(StoreError::new("the store panicked"))))
    })
    .await
}
