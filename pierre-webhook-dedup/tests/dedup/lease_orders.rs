//! A lease in every order of what may happen to it, up to a length: renewals fall due, the store answers or fails, the
//! work ends, its caller goes away, the process shuts down.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use pierre_webhook_dedup::{Claimed, Dedup, Key, Owner, Store, StoreError, StoreFuture};
use tokio::{
    sync::oneshot,
    task::yield_now,
    time::{advance, pause},
};

use crate::unique::id;

const LEASE: Duration = Duration::from_secs(60);
const LENGTH: usize = 5;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    /// A third of the lease passes.
    Third,
    /// The store answers what it was asked first.
    Answer,
    /// The store fails at it.
    Fail,
    Succeed,
    /// The work returns an error.
    GiveUp,
    /// The future that runs the work is dropped.
    DropCaller,
    Shutdown,
}

const STEPS: [Step; 7] = [
    Step::Third,
    Step::Answer,
    Step::Fail,
    Step::Succeed,
    Step::GiveUp,
    Step::DropCaller,
    Step::Shutdown,
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Operation {
    Renew,
    Complete,
    Release,
}

/// A store that answers when it is told to, and remembers what it was asked.
#[derive(Clone, Default)]
struct Scripted(Arc<Mutex<Script>>);

#[derive(Default)]
struct Script {
    asked: Vec<Operation>,
    in_flight: VecDeque<(Operation, oneshot::Sender<bool>)>,
    is_completed: bool,
    problem: Option<&'static str>,
}

impl Scripted {
    /// Checks what must hold whenever a lease asks for something.
    fn ask(&self, operation: Operation) -> oneshot::Receiver<bool> {
        let (answer, answered) = oneshot::channel();
        let mut script = self.0.lock().unwrap();
        // A completion whose caller is dropped is asked for again. A renewal must not be left to itself: the store may
        // still do it.
        script
            .in_flight
            .retain(|(asked, answer)| *asked == Operation::Renew || !answer.is_closed());
        if !script.in_flight.is_empty() {
            script.problem = Some("two operations at the same time");
        }
        let has_ended = script.asked.iter().any(|asked| *asked != Operation::Renew);
        if operation == Operation::Renew && has_ended {
            script.problem = Some("a renewal after the end");
        }
        if operation == Operation::Release && script.asked.contains(&Operation::Complete) {
            script.problem = Some("a release after a completion");
        }
        script.asked.push(operation);
        script.in_flight.push_back((operation, answer));
        answered
    }

    fn answer(&self, is_well: bool) {
        let mut script = self.0.lock().unwrap();
        if let Some((operation, answer)) = script.in_flight.pop_front() {
            script.is_completed |= is_well && operation == Operation::Complete;
            let _ = answer.send(is_well);
        }
    }

    fn reply(&self, operation: Operation) -> StoreFuture<'_, bool> {
        let answered = self.ask(operation);
        Box::pin(async {
            match answered.await {
                Ok(true) => Ok(true),
                _ => Err(StoreError::new("the store failed")),
            }
        })
    }
}

impl Store for Scripted {
    fn claim<'a>(&'a self, _: Key<'a>, _: Owner, _: Duration) -> StoreFuture<'a, Claimed> {
        Box::pin(async { Ok(Claimed::Yours { fencing_token: 1 }) })
    }

    fn renew<'a>(&'a self, _: Key<'a>, _: Owner, _: Duration) -> StoreFuture<'a, bool> {
        self.reply(Operation::Renew)
    }

    fn complete<'a>(&'a self, _: Key<'a>, _: Owner, _: Duration) -> StoreFuture<'a, bool> {
        self.reply(Operation::Complete)
    }

    fn release<'a>(&'a self, _: Key<'a>, _: Owner) -> StoreFuture<'a, ()> {
        let reply = self.reply(Operation::Release);
        Box::pin(async { reply.await.map(drop) })
    }

    fn forget<'a>(&'a self, _: Key<'a>) -> StoreFuture<'a, bool> {
        Box::pin(async { Ok(false) })
    }

    fn abandon(&self, _: Key<'_>, _: Owner) {
        drop(self.ask(Operation::Release));
        // Nobody waits for it.
        self.answer(true);
    }
}

/// Lets every task do what it can do now.
async fn settle() {
    for _ in 0..12 {
        yield_now().await;
    }
}

async fn play(steps: &[Step]) {
    let store = Scripted::default();
    let dedup = Dedup::new(store.clone()).lease(LEASE);
    let (end, ended) = oneshot::channel::<bool>();
    let mut end = Some(end);
    let work = tokio::spawn({
        let dedup = dedup.clone();
        async move {
            let work = async || if ended.await == Ok(true) { Ok(()) } else { Err(()) };
            drop(dedup.once(id(), work).await);
        }
    });
    settle().await;
    // How the work ended, if it did before its caller was dropped.
    let mut success = None;
    let (mut is_dropped, mut shutdown) = (false, None);
    for step in steps {
        match step {
            Step::Third => advance(LEASE / 3).await,
            Step::Answer => store.answer(true),
            Step::Fail => store.answer(false),
            Step::Succeed | Step::GiveUp => {
                if let (Some(end), false) = (end.take(), is_dropped) {
                    success = Some(*step == Step::Succeed);
                    let _ = end.send(*step == Step::Succeed);
                }
            }
            Step::DropCaller => {
                is_dropped = true;
                work.abort();
            }
            Step::Shutdown if shutdown.is_none() => {
                let dedup = dedup.clone();
                let down = tokio::spawn(async move { _ = dedup.shutdown(Duration::ZERO).await });
                shutdown = Some(down);
            }
            Step::Shutdown => {}
        }
        settle().await;
    }
    // From now on all goes well.
    work.abort();
    for _ in 0..8 {
        settle().await;
        store.answer(true);
        settle().await;
        advance(Duration::from_secs(5)).await;
    }
    let script = store.0.lock().unwrap();
    assert_eq!(script.problem, None, "{steps:?}: {:?}", script.asked);
    assert!(script.in_flight.is_empty(), "{steps:?}: {:?}", script.asked);
    if success == Some(true) {
        assert!(script.is_completed, "{steps:?}: {:?}", script.asked);
    } else {
        assert!(!script.asked.contains(&Operation::Complete), "{steps:?}: {:?}", script.asked);
        assert!(script.asked.contains(&Operation::Release), "{steps:?}: {:?}", script.asked);
    }
}

#[test]
fn a_lease_ends_once_and_after_its_renewals_in_every_order() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        pause();
        let orders = STEPS.len().pow(u32::try_from(LENGTH).unwrap());
        for order in 0..orders {
            let mut rest = order;
            let steps: Vec<Step> = (0..LENGTH)
                .map(|_| {
                    let step = STEPS[rest % STEPS.len()];
                    rest /= STEPS.len();
                    step
                })
                .collect();
            play(&steps).await;
        }
        println!("{orders} orders");
    });
}
