//! Deliveries that are held open: they become too old, and their secret expires, before they are complete.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant, UNIX_EPOCH},
};

use axum::{Router, body::Body, routing::post};
use bytes::Bytes;
use http::StatusCode;
use http_body_util::channel::Channel;
use pierre_webhook_core::{LiveVerifier, Secret, Verifier};
use pierre_webhook_dedup::{Dedup, DedupLayer, MemoryStore};
use pierre_webhook_tests::{
    client::{Connection, PATIENCE},
    sample::{BODY, NOW, delivery, delivery_by, secret},
    server::{Handled, Server, actix_with, axum_with, wrapped_with},
};
use pierre_webhook_tower::{VerifyWebhookLayer, Webhook};
use tower::ServiceExt;

const SEVEN_DAYS: u64 = 7 * 86_400;

/// A clock that the test sets. It counts how often it is read.
#[derive(Clone, Default)]
struct Clock {
    seconds: Arc<AtomicU64>,
    reads: Arc<AtomicUsize>,
}

impl Clock {
    fn set(&self, seconds: u64) {
        self.seconds.store(seconds, Ordering::SeqCst);
    }

    fn of(&self, verifier: Verifier) -> Verifier {
        let clock = self.clone();
        verifier.clock(move || {
            clock.reads.fetch_add(1, Ordering::SeqCst);
            UNIX_EPOCH + Duration::from_secs(clock.seconds.load(Ordering::SeqCst))
        })
    }

    /// Sends all but the last byte of a delivery at [`NOW`], then does something else, and sends the last byte at
    /// `end`.
    fn hold_open(
        &self,
        server: &Server,
        signer: &Secret,
        meanwhile: impl FnOnce(),
        end: u64,
    ) -> (u16, String) {
        self.set(NOW);
        let reads = self.reads.load(Ordering::SeqCst);
        let bytes = delivery_by(signer).with_content_length();
        let (start, last) = bytes.split_at(bytes.len() - 1);
        let mut connection = Connection::open(server.address);
        connection.send(start);
        let waiting = Instant::now();
        while self.reads.load(Ordering::SeqCst) == reads {
            assert!(waiting.elapsed() < PATIENCE, "{} checks the head", server.name);
            thread::yield_now();
        }
        meanwhile();
        self.set(end);
        let response = connection.send(last).receive();
        let text = if response.status == 200 { String::new() } else { response.detail() };
        (response.status, text)
    }
}

/// Starts a server for each adapter, whose verifiers are replaced together.
fn servers(verifier: Verifier) -> ([Server; 3], LiveVerifier, Handled) {
    let handled = Handled::default();
    let live = LiveVerifier::new(verifier);
    let servers = [
        axum_with(live.clone(), handled.clone()),
        actix_with(live.clone(), handled.clone()),
        wrapped_with(live.clone(), handled.clone()),
    ];
    (servers, live, handled)
}

#[test]
fn a_delivery_held_open_for_seven_days_is_too_old() {
    let clock = Clock::default();
    let (servers, _, handled) = servers(clock.of(Verifier::new(secret())));
    for server in &servers {
        for (age, status, text) in [
            (300, 200, String::new()),
            (301, 401, "Webhook timestamp too old (301 seconds)".to_owned()),
            (SEVEN_DAYS, 401, format!("Webhook timestamp too old ({SEVEN_DAYS} seconds)")),
        ] {
            let held = clock.hold_open(server, &secret(), || {}, NOW + age);
            assert_eq!(held, (status, text), "{}", server.name);
        }
    }
    assert_eq!(handled.count(), 3);
}

#[test]
fn a_secret_that_expires_while_a_delivery_is_held_open_is_not_accepted() {
    let clock = Clock::default();
    let old = Secret::new("old").unwrap();
    let until = UNIX_EPOCH + Duration::from_secs(NOW + 10);
    let rotating = clock.of(Verifier::new(secret()).or_secret_until(old.clone(), until));
    let (servers, _, handled) = servers(rotating);
    for server in &servers {
        for (end, status, text) in [(NOW + 9, 200, ""), (NOW + 10, 401, "Invalid signature")] {
            let held = clock.hold_open(server, &old, || {}, end);
            assert_eq!(held, (status, text.to_owned()), "{}", server.name);
        }
    }
    assert_eq!(handled.count(), 3);
}

#[test]
fn a_replaced_verifier_accepts_nothing_older_than_its_maximum_age() {
    let clock = Clock::default();
    let old = Secret::new("old").unwrap();
    let before = || clock.of(Verifier::new(old.clone()));
    let (servers, live, handled) = servers(before());
    for server in &servers {
        for (end, status) in [(NOW + 300, 200), (NOW + 301, 401)] {
            live.replace(before());
            let replace = || drop(live.replace(clock.of(Verifier::new(secret()))));
            let (answer, _) = clock.hold_open(server, &old, replace, end);
            assert_eq!(answer, status, "{}", server.name);
        }
    }
    assert_eq!(handled.count(), 3);
}

#[test]
fn with_any_age_a_delivery_can_be_held_open_for_any_time() {
    let clock = Clock::default();
    let (servers, _, handled) = servers(clock.of(Verifier::new(secret()).any_age()));
    for server in &servers {
        let held = clock.hold_open(server, &secret(), || {}, NOW + SEVEN_DAYS);
        assert_eq!(held, (200, String::new()), "{}", server.name);
    }
    assert_eq!(handled.count(), 3);
}

/// Here the verifier and the records read the same clock: that of a paused runtime.
#[tokio::test(start_paused = true)]
async fn a_copy_held_open_for_longer_than_the_retention_is_not_handled_again() {
    const RETENTION: Duration = Duration::from_secs(600);

    let start = tokio::time::Instant::now();
    let now = move || UNIX_EPOCH + Duration::from_secs(NOW) + start.elapsed();
    let handled = Handled::default();
    let runs = handled.clone();
    let handler = async move |webhook: Webhook| {
        runs.handle(&webhook);
        StatusCode::NO_CONTENT
    };
    let verify = VerifyWebhookLayer::new(Verifier::new(secret()).clock(now));
    let once = DedupLayer::new(Dedup::new(MemoryStore::new()).retention(RETENTION));
    let app = Router::new().route("/webhooks", post(handler).route_layer((verify, once)));
    let request = |body| delivery().to_http(body);

    let (mut chunks, body) = Channel::<Bytes, Infallible>::new(1);
    let held = tokio::spawn(app.clone().oneshot(request(Body::new(body))));
    chunks.send_data(Bytes::from_static(&BODY.as_bytes()[..5])).await.unwrap();

    let first = app.oneshot(request(Body::from(BODY))).await.unwrap();
    assert_eq!(first.status(), 204);
    tokio::time::advance(RETENTION + Duration::from_secs(1)).await;
    chunks.send_data(Bytes::from_static(&BODY.as_bytes()[5..])).await.unwrap();
    drop(chunks);
    assert_eq!(held.await.unwrap().unwrap().status(), 401);
    assert_eq!(handled.count(), 1);
}
