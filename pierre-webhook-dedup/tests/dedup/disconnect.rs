//! Clients that disconnect before the response, over real sockets.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use axum::{Router, routing::post};
use pierre_webhook_dedup::{Dedup, DedupLayer};
use pierre_webhook_tests::{
    client::{Connection, PATIENCE, Request, exchange},
    server::Server,
};
use pierre_webhook_tower::{Secret, Verifier, VerifyWebhookLayer, Webhook};

use crate::faulty::{Fault, Faulty, Operation};

const SECRET: &str = "a secret of the tests";

pub(crate) fn delivery() -> Vec<u8> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let signature = Secret::new(SECRET).unwrap().sign(now, b"{}");
    Request::delivery("ping", &signature, "{}").with_content_length()
}

/// How often a handler began, and how often it ended.
#[derive(Clone, Default)]
pub(crate) struct Runs {
    pub(crate) begun: Arc<AtomicUsize>,
    pub(crate) ended: Arc<AtomicUsize>,
}

impl Runs {
    pub(crate) fn counts(&self) -> [usize; 2] {
        [&self.begun, &self.ended].map(|count| count.load(Ordering::SeqCst))
    }
}

fn server(layer: DedupLayer, work: Duration, runs: &Runs) -> Server {
    let runs = runs.clone();
    let handler = async move |_: Webhook| {
        runs.begun.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(work).await;
        runs.ended.fetch_add(1, Ordering::SeqCst);
    };
    let verify = VerifyWebhookLayer::new(Verifier::new(Secret::new(SECRET).unwrap()));
    Server::axum(Router::new().route("/webhooks", post(handler).layer((verify, layer))))
}

pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        sleep(Duration::from_millis(2));
    }
}

/// Sends the delivery until it isn't in progress any more, and returns the status.
pub(crate) fn send_until_handled(server: &Server) -> u16 {
    let start = Instant::now();
    loop {
        let response = exchange(server.address, &delivery());
        if response.status != 503 {
            return response.status;
        }
        assert!(start.elapsed() < PATIENCE, "in progress forever");
        sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_completion_survives_a_disconnected_client() {
    let (store, runs) = (Faulty::new(), Runs::default());
    store.set(Operation::Complete, Fault::Slow(Duration::from_millis(200)));
    let layer = DedupLayer::new(Dedup::new(store.clone())).stop_with_sender();
    let server = server(layer, Duration::ZERO, &runs);
    let mut connection = Connection::open(server.address);
    connection.send(&delivery());
    until("it is completed", || store.calls(Operation::Complete) == 1);
    connection.reset();
    // The request began to record it; the background task finishes.
    until("it is completed again", || store.calls(Operation::Complete) == 2);
    assert_eq!(send_until_handled(&server), 200);
    assert_eq!(runs.begun.load(Ordering::SeqCst), 1);
}

#[test]
fn with_stop_with_sender_a_disconnected_client_cancels_the_handler_and_a_retry_runs_it_again() {
    let runs = Runs::default();
    let layer = DedupLayer::new(Dedup::new(Faulty::new())).stop_with_sender();
    let server = server(layer, Duration::from_millis(300), &runs);
    let mut connection = Connection::open(server.address);
    connection.send(&delivery());
    until("it begins", || runs.begun.load(Ordering::SeqCst) == 1);
    connection.reset();
    assert_eq!(send_until_handled(&server), 200);
    assert_eq!(runs.counts(), [2, 1]);
}

#[test]
fn the_handler_survives_a_disconnected_client() {
    let runs = Runs::default();
    let layer = DedupLayer::new(Dedup::new(Faulty::new()));
    let server = server(layer, Duration::from_millis(300), &runs);
    let mut connection = Connection::open(server.address);
    connection.send(&delivery());
    until("it begins", || runs.begun.load(Ordering::SeqCst) == 1);
    connection.reset();
    assert_eq!(send_until_handled(&server), 200);
    assert_eq!(runs.counts(), [1, 1]);
}
