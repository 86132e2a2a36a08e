//! What the inbox records over the `metrics` facade.

use std::collections::BTreeMap;

use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use pierre_webhook_inbox::Worker;

use crate::{database::Database, delivery::verified, eventually::eventually, working::Working};

/// `name{label=value,…}` and the value so far.
#[derive(Default)]
struct Recorded(BTreeMap<String, f64>);

impl Recorded {
    /// Adds what was recorded since it was last called.
    fn update(&mut self, snapshotter: &Snapshotter) {
        for (key, _, _, value) in snapshotter.snapshot().into_vec() {
            let (name, labels) = key.key().clone().into_parts();
            let labels: Vec<_> =
                labels.iter().map(|label| format!("{}={}", label.key(), label.value())).collect();
            let so_far =
                self.0.entry(format!("{}{{{}}}", name.as_str(), labels.join(","))).or_default();
            match value {
                DebugValue::Counter(value) => *so_far += value as f64,
                DebugValue::Gauge(value) => *so_far = value.into_inner(),
                DebugValue::Histogram(_) => panic!("no histogram is recorded"),
            }
        }
    }
}

// One thread, so that the recorder of this thread gets everything.
#[tokio::test]
async fn what_is_stored_run_waiting_and_dead_is_recorded() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let _guard = metrics::set_default_local_recorder(&recorder);
    pierre_webhook_inbox::metrics::describe();

    let database = Database::sqlite().unwrap();
    let inbox = database.inbox().await.scope("deploy").max_waiting(2);
    for body in ["1", "1", "2"] {
        inbox.insert(&verified("ping", body, None)).await.unwrap();
    }
    assert_eq!(inbox.insert(&verified("ping", "3", None)).await.unwrap_err().code(), "inbox_full");
    let handler = async |job: pierre_webhook_inbox::Job| {
        if &*job.body == b"1" { Ok(()) } else { Err("broken") }
    };
    let working = Working::start(Worker::new(inbox.clone(), handler).max_attempts(1));
    eventually("one is dead", async || {
        let stats = inbox.stats().await.unwrap();
        (stats.dead == 1 && stats.ready + stats.running == 0).then_some(())
    })
    .await;
    working.stop().await;
    // The gauges are set when a worker starts.
    let working = Working::start(Worker::new(inbox.clone(), handler));
    let dead = "pierre_webhook_inbox_dead{scope=deploy}";
    let mut seen = Recorded::default();
    eventually("the dead one is recorded", async || {
        seen.update(&snapshotter);
        (seen.0.get(dead) == Some(&1.0)).then_some(())
    })
    .await;
    working.stop().await;

    let expected = [
        ("pierre_webhook_inbox_attempts_total{scope=deploy,outcome=dead}", 1.0),
        ("pierre_webhook_inbox_attempts_total{scope=deploy,outcome=done}", 1.0),
        (dead, 1.0),
        ("pierre_webhook_inbox_inserted_total{scope=deploy,outcome=inbox_full}", 1.0),
        ("pierre_webhook_inbox_inserted_total{scope=deploy,outcome=known}", 1.0),
        ("pierre_webhook_inbox_inserted_total{scope=deploy,outcome=new}", 2.0),
        ("pierre_webhook_inbox_oldest_waiting_seconds{scope=deploy}", 0.0),
        ("pierre_webhook_inbox_waiting{scope=deploy}", 0.0),
    ];
    let seen: Vec<_> = seen.0.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    assert_eq!(seen, expected);
}
