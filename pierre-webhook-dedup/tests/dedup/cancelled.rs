//! Calls that are dropped at any moment: no delivery gets stuck, and no completed work is forgotten.

use std::{
    convert::Infallible,
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Poll, Waker},
    time::Duration,
};

use pierre_webhook_dedup::{Begun, Dedup, Once};
use tokio::{task::yield_now, time::sleep};

use crate::{
    faulty::{Fault, Faulty},
    unique::id,
};

/// Drops `once` at each of its awaits, with 0 to 15 yields in the store and the work.
#[tokio::test(start_paused = true)]
async fn dropping_once_at_any_await_loses_no_completion_and_leaves_no_claim() {
    let mut dropped = 0;
    for yields in 0..16 {
        for fails in [false, true] {
            for polls in 1.. {
                let store = Faulty::new();
                store.set_all(Fault::Yields(yields));
                let (dedup, id) = (Dedup::new(store.clone()), id());
                let is_done = AtomicBool::new(false);
                let ended = {
                    let mut once = pin!(dedup.once(id, async || {
                        for _ in 0..yields {
                            yield_now().await;
                        }
                        if fails {
                            return Err("it failed");
                        }
                        is_done.store(true, Ordering::SeqCst);
                        Ok(())
                    }));
                    let mut ended = false;
                    for _ in 0..polls {
                        let mut context = Context::from_waker(Waker::noop());
                        if let Poll::Ready(result) = once.as_mut().poll(&mut context) {
                            assert_eq!(result.is_err(), fails, "{result:?}");
                            ended = true;
                            break;
                        }
                        yield_now().await;
                    }
                    ended
                };
                store.set_all(Fault::None);
                sleep(Duration::from_secs(1)).await;
                let next = dedup.begin(id).await.unwrap();
                let what = format!("{yields} yields, {polls} polls: {next:?}");
                match is_done.load(Ordering::SeqCst) {
                    true => assert!(matches!(next, Begun::Completed), "{what}"),
                    false => assert!(matches!(next, Begun::Claimed(_)), "{what}"),
                }
                if ended {
                    break;
                }
                dropped += 1;
            }
        }
    }
    assert!(dropped > 1000, "only {dropped}");
}

#[tokio::test(flavor = "multi_thread")]
async fn aborting_a_task_in_once_leaves_no_delivery_stuck() {
    let dedup = Dedup::new(Faulty::new().set_all(Fault::Yields(3)).clone());
    let mut ids = Vec::new();
    for turn in 0..3000 {
        let (dedup, id) = (dedup.clone(), id());
        ids.push(id);
        let task = tokio::spawn(async move {
            dedup
                .once(id, async || {
                    yield_now().await;
                    Ok::<_, Infallible>(())
                })
                .await
        });
        for _ in 0..turn % 40 {
            yield_now().await;
        }
        task.abort();
    }
    for id in ids {
        let mut tries = 0;
        loop {
            match dedup.once(id, async || Ok::<_, Infallible>(())).await.unwrap() {
                Once::Ran { .. } | Once::Completed => break,
                _ => {
                    tries += 1;
                    assert!(tries < 2000, "stuck");
                    sleep(Duration::from_millis(5)).await;
                }
            }
        }
    }
}
