//! What `Dedup` records over the `metrics` facade.

use std::{collections::BTreeMap, convert::Infallible, time::Duration};

use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use pierre_webhook_dedup::{Begun, Dedup, Key, MemoryStore, Owner, Store};
use tokio::time::sleep;

use crate::{
    faulty::{Fault, Faulty, Operation},
    unique::id,
};

const LEASE: Duration = Duration::from_secs(60);

/// `name{label=value,…}` and the value so far.
#[derive(Default)]
struct Recorded(BTreeMap<String, f64>);

impl Recorded {
    /// Adds what was recorded since it was last called.
    fn update(&mut self, snapshotter: &Snapshotter) -> &mut Self {
        for (key, _, _, value) in snapshotter.snapshot().into_vec() {
            let (name, labels) = key.key().clone().into_parts();
            let labels: Vec<_> =
                labels.iter().map(|label| format!("{}={}", label.key(), label.value())).collect();
            let name = name.as_str().trim_start_matches("pierre_webhook_dedup_");
            let so_far = self.0.entry(format!("{name}{{{}}}", labels.join(","))).or_default();
            match value {
                DebugValue::Counter(value) => *so_far += value as f64,
                // A snapshot begins again at zero, and the gauge only counts up and down.
                DebugValue::Gauge(value) => *so_far += value.into_inner(),
                DebugValue::Histogram(_) => panic!("no histogram is recorded"),
            }
        }
        self
    }

    fn of(&self, key: &str) -> f64 {
        self.0.get(key).copied().unwrap_or_default()
    }
}

async fn once(dedup: &Dedup, id: pierre_webhook_dedup::DeliveryId) {
    let _ = dedup.once(id, async || Ok::<_, Infallible>(())).await;
}

// One thread, so that the recorder of this thread gets everything.
#[tokio::test(start_paused = true)]
async fn each_outcome_of_a_claim_and_of_a_completion_is_recorded() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let _guard = metrics::set_default_local_recorder(&recorder);
    pierre_webhook_dedup::metrics::describe();
    let mut seen = Recorded::default();
    let store = Faulty::new();
    let dedup = Dedup::new(store.clone()).scope("deploy").lease(LEASE);

    let (handled, held) = (id(), id());
    once(&dedup, handled).await;
    once(&dedup, handled).await;
    let claim = dedup.begin(held).await.unwrap();
    once(&dedup, held).await;
    drop(claim);
    store.set(Operation::Claim, Fault::Down);
    once(&dedup, id()).await;
    once(&dedup.clone().fail_open(), id()).await;
    store.set(Operation::Claim, Fault::None);

    store.set(Operation::Complete, Fault::Down);
    once(&dedup, id()).await;
    assert_eq!(seen.update(&snapshotter).of("unrecorded{scope=deploy}"), 1.0);
    store.set(Operation::Complete, Fault::None);
    sleep(Duration::from_secs(6)).await;
    assert!(dedup.shutdown(LEASE).await.is_empty());
    once(&dedup, id()).await;

    let seen: Vec<_> =
        seen.update(&snapshotter).0.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    let expected = [
        ("claims_total{scope=deploy,outcome=claimed}", 3.0),
        ("claims_total{scope=deploy,outcome=completed}", 1.0),
        ("claims_total{scope=deploy,outcome=dedup_unavailable}", 1.0),
        ("claims_total{scope=deploy,outcome=in_progress}", 1.0),
        ("claims_total{scope=deploy,outcome=shutting_down}", 1.0),
        ("claims_total{scope=deploy,outcome=unclaimed}", 1.0),
        ("completions_total{scope=deploy,outcome=recorded}", 3.0),
        ("completions_total{scope=deploy,outcome=retrying}", 1.0),
        ("unrecorded{scope=deploy}", 0.0),
    ];
    assert_eq!(seen, expected);
}

/// Otherwise the alert on records that wait would fire for ever.
#[test]
fn a_completion_no_longer_waits_once_its_runtime_has_ended() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let mut seen = Recorded::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let store = Faulty::new();
    store.set(Operation::Complete, Fault::Down);
    runtime.block_on(once(&Dedup::new(store), id()));
    assert_eq!(seen.update(&snapshotter).of("unrecorded{scope=}"), 1.0);
    drop(runtime);
    assert_eq!(seen.update(&snapshotter).of("unrecorded{scope=}"), 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_another_has_taken_is_recorded() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let store = MemoryStore::new();
    let dedup = Dedup::new(store.clone()).lease(LEASE);
    let id = id();
    let Begun::Claimed(claim) = dedup.begin(id).await.unwrap() else { panic!("it is free") };
    // It isn't renewed, so another claims it once it has expired.
    sleep(LEASE + Duration::from_secs(1)).await;
    store.claim(Key::new("", id), Owner::random().unwrap(), LEASE).await.unwrap();
    assert!(!claim.renew().await.unwrap());
    claim.complete().await;

    let mut seen = Recorded::default();
    seen.update(&snapshotter);
    assert_eq!(seen.of("leases_lost_total{scope=}"), 1.0);
    assert_eq!(seen.of("completions_total{scope=,outcome=taken_over}"), 1.0);
}

#[tokio::test]
async fn tenants_and_hostile_deliveries_add_no_series() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let dedup = Dedup::new(MemoryStore::new()).scope("deploy");
    for number in 0..100_000 {
        once(&dedup.for_tenant(Some(&format!("tenant {number}"))), id()).await;
    }
    let mut seen = Recorded::default();
    seen.update(&snapshotter);
    assert_eq!(seen.of("claims_total{scope=deploy,outcome=claimed}"), 100_000.0);
    assert_eq!(seen.0.len(), 2, "{:?}", seen.0.keys());
}
