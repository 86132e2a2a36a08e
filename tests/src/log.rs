//! Everything that a thread logs, for tests of what the crates log.

use std::{
    fmt::Debug,
    sync::{Arc, LazyLock, Mutex},
};

use tracing::{
    Dispatch, Event, Subscriber,
    field::Field,
    span,
    subscriber::{DefaultGuard, set_default},
};
use tracing_subscriber::{
    layer::{Context, Layer, SubscriberExt},
    registry,
};

use crate::secrecy::assert_prints_none;

/// Records each event and span, of every target and level, as a line: level, target and fields.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let mut line = format!("{} {}", metadata.level(), metadata.target());
        event.record(&mut |field: &Field, value: &dyn Debug| {
            if field.name() != "message" {
                line += &format!(" {}={value:?}", field.name());
            }
        });
        self.0.lock().expect("a lock").push(line);
    }

    fn on_new_span(&self, span: &span::Attributes<'_>, _: &span::Id, _: Context<'_, S>) {
        self.0.lock().expect("a lock").push(format!("{span:?}"));
    }

    fn on_record(&self, _: &span::Id, fields: &span::Record<'_>, _: Context<'_, S>) {
        self.0.lock().expect("a lock").push(format!("{fields:?}"));
    }
}

impl Log {
    /// Makes this log the subscriber of the thread, until the guard is dropped.
    ///
    /// While a process has just one subscriber, `tracing` asks only the thread that first uses a callsite, and a
    /// thread of another test, which has none, turns the callsite off for all. So there is always a second one.
    pub fn subscribe(&self) -> DefaultGuard {
        static SECOND: LazyLock<Dispatch> = LazyLock::new(|| registry().into());
        LazyLock::force(&SECOND);
        let guard = set_default(registry().with(self.clone()));
        tracing::trace!(target: "test", "as finely as it gets");
        guard
    }

    /// Returns what the crates logged. First checks that nothing that was logged contains one of the secrets.
    pub fn lines(&self, secrets: &[Vec<u8>]) -> Vec<String> {
        let mut lines = std::mem::take(&mut *self.0.lock().expect("a lock"));
        assert!(lines.iter().any(|line| line.starts_with("TRACE")), "every level is seen");
        assert_prints_none(&lines.join("\n"), secrets);
        let target = |line: &String| line.split(' ').nth(1).map(str::to_owned);
        lines.retain(|line| target(line).is_some_and(|target| target.starts_with("pierre")));
        lines
    }
}
