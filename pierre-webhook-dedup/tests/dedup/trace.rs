//! Log events: one for each repeated delivery, and one for each loss.

use std::{
    convert::Infallible,
    fmt::Debug,
    sync::{Arc, Mutex},
    time::Duration,
};

use pierre_webhook_dedup::{Begun, Claim, Dedup, DeliveryId, MemoryStore};
use tokio::time::{advance, sleep};
use tracing::{Dispatch, Event, Subscriber, field::Field, subscriber::DefaultGuard};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
    registry,
};

use crate::{
    faulty::{Fault, Faulty, Operation},
    unique::id,
};

const LEASE: Duration = Duration::from_secs(60);

/// Collects each event of the crate as a line of level and fields.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "pierre_webhook_dedup" {
            let mut line = event.metadata().level().to_string();
            event.record(&mut |field: &Field, value: &dyn Debug| {
                line += &format!(" {field}={value:?}");
            });
            self.0.lock().unwrap().push(line);
        }
    }
}

impl Log {
    /// Collects this thread's events while the guards live.
    pub(crate) fn start() -> (Self, (Dispatch, DefaultGuard)) {
        // If this were the only dispatcher, a call site that another test reaches first would stay disabled.
        let other = Dispatch::new(registry());
        let log = Self::default();
        let guard = tracing::subscriber::set_default(registry().with(log.clone()));
        (log, (other, guard))
    }

    pub(crate) fn take_all(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    /// Takes the lines, all of which must name this delivery.
    fn take(&self, id: DeliveryId) -> Vec<String> {
        let id = format!(" id={id}");
        let lines = self.take_all();
        assert!(lines.iter().all(|line| line.contains(&id)), "{lines:?}");
        lines.iter().map(|line| line.replace(&id, "").replace("message=", "")).collect()
    }
}

async fn begin(dedup: &Dedup, id: DeliveryId) -> Claim {
    match dedup.begin(id).await.unwrap() {
        Begun::Claimed(claim) => claim,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_handled_delivery_logs_nothing_and_a_repeat_logs_at_debug() {
    let (log, _guards) = Log::start();
    let (dedup, id) = (Dedup::new(MemoryStore::new()).lease(LEASE), id());
    let work = async || {
        sleep(3 * LEASE).await;
        assert_eq!(log.take(id), [""; 0]);
        assert!(matches!(dedup.begin(id).await, Ok(Begun::InProgress { .. })));
        Ok::<_, Infallible>(())
    };
    assert!(dedup.once(id, work).await.is_ok());
    assert!(matches!(dedup.begin(id).await, Ok(Begun::Completed)));
    let expected = ["DEBUG a delivery is in progress", "DEBUG a delivery was handled before"];
    assert_eq!(log.take(id), expected);
}

/// The sender's 503 carries no cause.
#[tokio::test(start_paused = true)]
async fn a_store_that_fails_is_logged_with_its_cause() {
    let (log, _guards) = Log::start();
    let (store, id) = (Faulty::new(), id());
    let dedup = Dedup::new(store.clone()).lease(LEASE);
    store.set_all(Fault::Down);
    assert!(dedup.begin(id).await.is_err());
    assert_eq!(log.take(id), ["WARN a delivery could not be claimed error=the store is down"]);

    let claim = begin(&dedup.clone().fail_open(), id).await;
    claim.complete().await;
    store.set_all(Fault::None);
    let expected = [
        "WARN a delivery is handled unclaimed error=the store is down",
        "WARN a completed delivery is recorded later error=the store is down",
    ];
    assert_eq!(log.take(id), expected);

    let id = self::id();
    store.set(Operation::Renew, Fault::Down).set(Operation::Release, Fault::Down);
    let failed = dedup.once(id, async || {
        sleep(LEASE / 2).await;
        Err::<(), _>("it failed")
    });
    assert!(failed.await.is_err());
    let expected = [
        "WARN a lease could not be renewed error=the store is down",
        "WARN a delivery that failed could not be released error=the store is down",
    ];
    assert_eq!(log.take(id), expected);
}

#[tokio::test(start_paused = true)]
async fn a_lost_lease_is_logged_and_so_is_the_completion_after_it() {
    let (log, _guards) = Log::start();
    let (dedup, id) = (Dedup::new(MemoryStore::new()).lease(LEASE), id());
    let late = begin(&dedup, id).await;
    advance(LEASE).await;
    let _other = begin(&dedup, id).await;
    assert!(!late.renew().await.unwrap());
    assert_eq!(log.take(id), ["WARN a lease was lost: the delivery is handled twice"]);
    late.complete().await;
    let expected = ["WARN a delivery was taken over before it was completed: it runs twice"];
    assert_eq!(log.take(id), expected);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_renewals_is_logged() {
    let (log, _guards) = Log::start();
    let dedup = Dedup::new(MemoryStore::new()).lease(LEASE).renew_for(LEASE);
    let id = id();
    let work = async || {
        sleep(3 * LEASE).await;
        Ok::<_, Infallible>(())
    };
    assert!(dedup.once(id, work).await.is_ok());
    let expected =
        ["WARN a delivery is in work for so long that its lease is not renewed any more"];
    assert_eq!(log.take(id), expected);
}
