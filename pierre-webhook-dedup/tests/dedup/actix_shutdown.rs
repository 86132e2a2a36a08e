//! The end of an actix process: `HttpServer::shutdown_signal` with a future that awaits the signal and then
//! `Dedup::shutdown`, over real sockets.

use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, atomic::Ordering},
    thread::{self, JoinHandle},
    time::Duration,
};

use actix_web::{App, HttpServer, rt::System, web};
use pierre_webhook_actix::{Secret, Verifier, VerifyWebhook, Webhook};
use pierre_webhook_core::TestDelivery;
use pierre_webhook_dedup::{Begun, Dedup, DedupMiddleware, MemoryStore, Unfinished};
use pierre_webhook_tests::client::{Connection, exchange};
use tokio::sync::{Semaphore, oneshot};

use crate::{
    disconnect::{Runs, delivery, until},
    layer::SECRET,
};

/// A server whose handler waits for a permit, until the signal comes and what was begun has ended.
fn serve(
    store: &MemoryStore,
    patience: Duration,
    runs: &Runs,
    gate: &Arc<Semaphore>,
) -> (SocketAddr, oneshot::Sender<()>, JoinHandle<Unfinished>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (send_signal, signal) = oneshot::channel();
    let (runs, gate, dedup) = (runs.clone(), Arc::clone(gate), Dedup::new(store.clone()));
    let server = thread::spawn(move || {
        System::new().block_on(async move {
            let once = DedupMiddleware::new(dedup.clone());
            let verify = VerifyWebhook::new(Verifier::new(Secret::new(SECRET).unwrap()));
            let (send_left, left) = oneshot::channel();
            HttpServer::new(move || {
                let (runs, gate) = (runs.clone(), Arc::clone(&gate));
                let handler = move |_: Webhook| {
                    let (runs, gate) = (runs.clone(), Arc::clone(&gate));
                    async move {
                        runs.begun.fetch_add(1, Ordering::SeqCst);
                        gate.acquire().await.unwrap().forget();
                        runs.ended.fetch_add(1, Ordering::SeqCst);
                        ""
                    }
                };
                App::new().service(
                    web::resource("/webhooks")
                        .route(web::post().to(handler))
                        .wrap(once.clone())
                        .wrap(verify.clone()),
                )
            })
            .workers(1)
            .shutdown_timeout(1)
            .shutdown_signal(async move {
                let _ = signal.await;
                let _ = send_left.send(dedup.shutdown(patience).await);
            })
            .listen(listener)
            .unwrap()
            .run()
            .await
            .unwrap();
            left.await.unwrap()
        })
    });
    (address, send_signal, server)
}

/// What another process that shares the store learns of the delivery.
fn seen_elsewhere(store: &MemoryStore) -> Begun {
    let delivery = TestDelivery::new("ping", "{}").delivery();
    let dedup = Dedup::new(store.clone()).for_delivery(&delivery);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(dedup.begin(delivery.id())).unwrap()
}

#[test]
fn a_handler_that_runs_ends_and_its_sender_gets_the_answer() {
    let (store, runs, gate) = (MemoryStore::new(), Runs::default(), Arc::new(Semaphore::new(0)));
    let (address, signal, server) = serve(&store, Duration::from_secs(20), &runs, &gate);
    let mut connection = Connection::open(address);
    connection.send(&delivery());
    until("it begins", || runs.begun.load(Ordering::SeqCst) == 1);
    signal.send(()).unwrap();
    // The server still answers, but begins nothing.
    let text = "Webhook deduplication is not available";
    until("it is closing", || exchange(address, &delivery()).detail() == text);
    gate.add_permits(1);
    assert_eq!(connection.receive().status, 200);
    assert_eq!(server.join().unwrap(), Unfinished::default());
    assert_eq!(runs.counts(), [1, 1]);
    assert!(matches!(seen_elsewhere(&store), Begun::Completed));
}

#[test]
fn a_handler_that_hangs_strands_no_lease() {
    let (store, runs, gate) = (MemoryStore::new(), Runs::default(), Arc::new(Semaphore::new(0)));
    let (address, signal, server) = serve(&store, Duration::from_millis(50), &runs, &gate);
    let mut connection = Connection::open(address);
    connection.send(&delivery());
    until("it begins", || runs.begun.load(Ordering::SeqCst) == 1);
    assert!(matches!(seen_elsewhere(&store), Begun::InProgress { .. }));
    signal.send(()).unwrap();
    assert_eq!(server.join().unwrap().released, 1);
    assert_eq!(runs.counts(), [1, 0]);
    assert!(matches!(seen_elsewhere(&store), Begun::Claimed(_)), "it waits for no lease");
}
