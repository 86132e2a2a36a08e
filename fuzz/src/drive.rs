//! Polls by hand, and fails where a future would hang or spin.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

/// Drives to the end. `pendings` says how often something inside had nothing yet, and woke the task: each
/// time once, so that a future that waits for nothing or wakes itself is found.
pub fn drive<T>(
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    pendings: impl Fn() -> usize,
) -> T {
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let mut cx = Context::from_waker(&waker);
    let before = pendings();
    for count in 0.. {
        let result = poll(&mut cx);
        assert_eq!(wakes.count.load(Ordering::Relaxed), pendings() - before);
        if let Poll::Ready(output) = result {
            assert_eq!(pendings() - before, count);
            return output;
        }
        assert_eq!(pendings() - before, count + 1);
    }
    unreachable!()
}

pub fn drive_future<F: Future>(future: F, pendings: impl Fn() -> usize) -> F::Output {
    let mut future = pin!(future);
    drive(|cx| future.as_mut().poll(cx), pendings)
}

#[derive(Default)]
struct Wakes {
    count: AtomicUsize,
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.count.fetch_add(1, Ordering::Relaxed);
    }
}
