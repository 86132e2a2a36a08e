//! What the programs here share: what a job is, and how a process is told to end.

use std::pin::Pin;

use bytes::Bytes;
use pierre_webhook_core::{Delivery, Error};
use pierre_webhook_inbox::Job;
use serde::{Deserialize, Serialize};
use tokio::{
    signal::{
        ctrl_c,
        unix::{SignalKind, signal},
    },
    sync::watch,
};

/// A delivery as an engine stores it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Deploy {
    event_type: String,
    signed_at: u64,
    body: String,
}

impl Deploy {
    pub fn of(job: &Job) -> Self {
        Self {
            event_type: job.event_type().to_owned(),
            signed_at: job.signed_at,
            // Rule 6: it is UTF-8.
            body: String::from_utf8_lossy(&job.body).into_owned(),
        }
    }

    /// Reads the event again.
    ///
    /// # Errors
    ///
    /// If the stored job was changed by hand.
    pub fn delivery(self) -> Result<Delivery, Error> {
        Delivery::from_stored(&self.event_type, Bytes::from(self.body), self.signed_at)
    }
}

/// The work itself.
pub fn deploy(delivery: &Delivery) {
    let repository = delivery.event.repository().map_or("", |repository| &repository.url);
    println!("deploys {} of {repository}", delivery.event_type());
}

/// Returns what resolves on Ctrl-C or SIGTERM, as often as it is called.
///
/// # Errors
///
/// If the signals can't be listened to.
pub fn told_to_end() -> std::io::Result<impl Fn() -> ToldToEnd> {
    let mut terminated = signal(SignalKind::terminate())?;
    let (tell, told) = watch::channel(());
    tokio::spawn(async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = ctrl_c() => {}
        }
        drop(tell);
    });
    Ok(move || {
        let mut told = told.clone();
        Box::pin(async move { while told.changed().await.is_ok() {} }) as ToldToEnd
    })
}

pub type ToldToEnd = Pin<Box<dyn Future<Output = ()> + Send>>;
