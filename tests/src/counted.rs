//! The counters that a piece of code increments over the `metrics` facade.

use metrics::LocalRecorderGuard;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};

/// Records what this thread counts, until it is dropped.
pub struct Counted {
    snapshotter: Snapshotter,
    _guard: LocalRecorderGuard<'static>,
}

impl Counted {
    #[expect(clippy::new_without_default, reason = "it does something")]
    pub fn new() -> Self {
        // The guard borrows the recorder. A test makes one, and ends.
        let recorder: &'static DebuggingRecorder = Box::leak(Box::default());
        Self {
            snapshotter: recorder.snapshotter(),
            _guard: metrics::set_default_local_recorder(recorder),
        }
    }

    /// Returns `label=value,… count` of each counter that isn't zero, sorted.
    pub fn lines(self) -> Vec<String> {
        let recorded = self.snapshotter.snapshot().into_vec();
        let mut lines: Vec<_> = recorded
            .into_iter()
            .filter_map(|(key, _, _, value)| {
                let labels: Vec<_> = key
                    .key()
                    .labels()
                    .map(|label| format!("{}={}", label.key(), label.value()))
                    .collect();
                match value {
                    DebugValue::Counter(count) if count > 0 => {
                        Some(format!("{} {count}", labels.join(",")))
                    }
                    _ => None,
                }
            })
            .collect();
        lines.sort();
        lines
    }
}
