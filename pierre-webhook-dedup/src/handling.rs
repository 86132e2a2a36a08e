//! What the layer and the middleware do around a handler that runs once.

use std::panic::resume_unwind;

use pierre_webhook_core::DeliveryId;
use tokio::task::JoinHandle;

use crate::{
    answer::Answer,
    claim::{Begun, Claim},
    dedup::Dedup,
    handle::LeaseHandle,
};

/// Claims a delivery, after waiting for another run of it if that is set. The error is the answer if the handler must
/// not run.
pub(crate) async fn claim(dedup: &Dedup, id: DeliveryId) -> Result<Claim, Answer> {
    match dedup.begin_in_turn(id).await {
        Ok(Begun::Claimed(claim)) => Ok(claim),
        Ok(Begun::InProgress { retry_after }) => Err(Answer::InProgress { retry_after }),
        Ok(Begun::Completed) => Err(Answer::Completed),
        Err(_) => Err(Answer::StoreFailed),
    }
}

/// Runs a handler. Returns what it returned, whether that completed the delivery (`Ok`) or released it (`Err`).
pub(crate) async fn run<T, F, H>(dedup: &Dedup, claim: Claim, handler: F) -> T
where
    F: FnOnce(LeaseHandle) -> H,
    H: Future<Output = Result<T, T>>,
{
    match dedup.run(claim, handler).await {
        Ok((value, _)) | Err(value) => value,
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
