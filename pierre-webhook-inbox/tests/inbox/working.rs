//! A worker in a task, and what it ran.

use std::{
    fmt::Display,
    sync::{Arc, Mutex},
};

use pierre_webhook_inbox::{InboxError, Job, Worker};
use tokio::{sync::oneshot, task::JoinHandle};

pub(crate) struct Working {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), InboxError>>,
}

impl Working {
    pub(crate) fn start<F, W, E>(worker: Worker<F>) -> Self
    where
        F: Fn(Job) -> W + Send + Sync + 'static,
        W: Future<Output = Result<(), E>> + Send + 'static,
        E: Display + 'static,
    {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async {
            let told = async {
                let _ = stopped.await;
            };
            worker.run(told).await
        });
        Self { stop, task }
    }

    /// Ends it as a signal would.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        self.task.await.unwrap().unwrap();
    }

    /// Ends it as a crash would: what it runs is dropped, and nothing is settled.
    pub(crate) async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

/// What workers ran, in order.
#[derive(Clone, Default)]
pub(crate) struct Runs(Arc<Mutex<Vec<Job>>>);

impl Runs {
    pub(crate) fn add(&self, job: &Job) {
        self.0.lock().unwrap().push(job.clone());
    }

    pub(crate) fn all(&self) -> Vec<Job> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}
