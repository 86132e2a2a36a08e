//! Polls by hand, and panics if a future hangs or spins.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

/// Drives a future to its end. `pendings` counts how often something inside had nothing yet and woke the task.
/// Each poll must have one such reason, so a future that waits for nothing or wakes itself is found.
pub fn drive<F: Future>(future: F, pendings: impl Fn() -> usize) -> F::Output {
    let mut future = pin!(future);
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let before = pendings();
    for count in 0.. {
        let result = future.as_mut().poll(&mut Context::from_waker(&waker));
        let waited = pendings() - before;
        assert_eq!(wakes.0.load(Ordering::Relaxed), waited);
        assert_eq!(waited, count + usize::from(result.is_pending()));
        if let Poll::Ready(output) = result {
            return output;
        }
    }
    unreachable!()
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
