//! In a process of its own, since the label is switched on for all of it.
#![cfg(feature = "metrics")]

use metrics_util::debugging::DebuggingRecorder;
use pierre_webhook_core::{Error, metrics};

#[test]
fn tenants_are_labels_only_if_asked_for() {
    let tenants = || {
        let recorder = DebuggingRecorder::new();
        ::metrics::with_local_recorder(&recorder, || {
            metrics::rejected(&Error::InvalidSignature, Some("push"), Some("acme"));
        });
        let recorded = recorder.snapshotter().snapshot().into_vec();
        let labels = recorded.iter().flat_map(|(key, ..)| key.key().labels());
        let tenants = labels.filter(|label| label.key() == "tenant");
        tenants.map(|label| label.value().to_owned()).collect::<Vec<_>>()
    };
    assert!(tenants().is_empty());
    metrics::label_tenants();
    assert_eq!(tenants(), ["acme"]);
}
