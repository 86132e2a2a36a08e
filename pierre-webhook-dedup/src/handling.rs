//! A handler that runs once, and the answer if it doesn't run: for the layer and the middleware alike.

use std::panic::resume_unwind;

use pierre_webhook_core::DeliveryId;
use tokio::task::JoinHandle;

use crate::{
    answer::Answer,
    dedup::Dedup,
    handle::LeaseHandle,
    once::{Once, OnceError},
};

/// Returns what the handler returned, whether that completed the delivery (`Ok`) or released it (`Err`). If the
/// handler didn't run, the error is the answer.
pub(crate) async fn handle<T, F, H>(dedup: &Dedup, id: DeliveryId, handler: F) -> Result<T, Answer>
where
    F: FnOnce(LeaseHandle) -> H,
    H: Future<Output = Result<T, T>>,
{
    match dedup.once_with(id, handler).await {
        Ok(Once::Ran { value, .. }) | Err(OnceError::Work(value)) => Ok(value),
        Ok(Once::InProgress { retry_after }) => Err(Answer::InProgress { retry_after }),
        Ok(Once::Completed) => Err(Answer::Completed),
        Err(OnceError::Store(_)) => Err(Answer::StoreFailed),
    }
}

/// Awaits a handler that runs in a task of its own. A panic is passed on. The error is the answer if the task was
/// cancelled, because its runtime is shutting down.
pub(crate) async fn end_of<T>(task: JoinHandle<T>) -> Result<T, Answer> {
    match task.await {
        Ok(value) => Ok(value),
        Err(failure) => match failure.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(_) => Err(Answer::StoreFailed),
        },
    }
}
