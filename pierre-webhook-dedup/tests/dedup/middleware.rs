//! `DedupMiddleware`. The rules are those of `layer`; clients that disconnect are over real sockets.

use std::{
    cell::Cell,
    future::ready,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use actix_web::{
    App, HttpResponse,
    body::MessageBody,
    dev::{Service, ServiceRequest, ServiceResponse},
    error::ErrorImATeapot,
    http::StatusCode,
    middleware::{Next, from_fn},
    rt::spawn,
    test::{TestRequest, init_service, read_body, try_call_service},
    web,
};
use pierre_webhook_actix::{
    EVENT_HEADER, SIGNATURE_HEADER, Secret, Verifier, VerifyWebhook, Webhook,
};
use pierre_webhook_dedup::{Dedup, DedupMiddleware, DeliveryId, LeaseHandle, MemoryStore};
use pierre_webhook_tests::{
    client::{Connection, exchange},
    server::Server,
};
use tokio::{
    sync::Semaphore,
    task::yield_now,
    time::{sleep, timeout},
};
use tracing::Instrument;

use crate::{
    disconnect::{Runs, delivery, send_until_handled, until},
    faulty::{Fault, Faulty, Operation},
    layer::{SECRET, problem},
};

fn verify() -> VerifyWebhook {
    VerifyWebhook::new(Verifier::new(Secret::new(SECRET).unwrap()))
}

fn once() -> DedupMiddleware {
    DedupMiddleware::new(Dedup::new(MemoryStore::new()))
}

/// The middleware, with its handlers in tasks of their own and not.
fn both() -> [(bool, DedupMiddleware); 2] {
    [(true, once()), (false, once().stop_with_sender())]
}

fn request(body: &'static str) -> TestRequest {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let signature = Secret::new(SECRET).unwrap().sign(now, body.as_bytes());
    TestRequest::post()
        .uri("/webhooks/ping")
        .insert_header((SIGNATURE_HEADER, signature))
        .insert_header((EVENT_HEADER, "ping"))
        .set_payload(body)
}

type Answer = (u16, Option<String>, String);

async fn answer<B: MessageBody>(response: ServiceResponse<B>) -> Answer {
    let retry_after = response.headers().get("retry-after");
    let retry_after = retry_after.map(|value| value.to_str().unwrap().to_owned());
    let status = response.status().as_u16();
    (status, retry_after, String::from_utf8(read_body(response).await.to_vec()).unwrap())
}

async fn send<S, B>(app: &S, body: &'static str) -> Answer
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody,
{
    answer(try_call_service(app, request(body).to_request()).await.unwrap()).await
}

/// A service `$app` that handles `/webhooks/ping` with `$handler`, once. Its type can't be written.
macro_rules! app {
    ($once:expr, $handler:expr) => {
        init_service(
            App::new().service(
                web::scope("/webhooks")
                    .route("/ping", web::post().to($handler))
                    .wrap($once)
                    .wrap(verify()),
            ),
        )
        .await
    };
}

/// A handler that answers each run with the next of these statuses, then with 200.
macro_rules! handler {
    ($runs:expr, $statuses:expr) => {{
        let (runs, statuses): (Arc<AtomicUsize>, &'static [u16]) = (Arc::clone(&$runs), $statuses);
        move |webhook: Webhook| {
            let run = runs.fetch_add(1, Ordering::SeqCst);
            let status = statuses.get(run).copied().unwrap_or(200);
            let text = format!("{} run {run}", webhook.event_type());
            ready(HttpResponse::build(StatusCode::from_u16(status).unwrap()).body(text))
        }
    }};
}

fn ran(run: usize) -> Answer {
    (200, None, format!("ping run {run}"))
}

fn handled_before() -> Answer {
    (200, None, String::new())
}

#[actix_web::test]
async fn a_2xx_completes_the_delivery_and_a_repeat_is_answered_with_an_empty_200() {
    for (_, once) in both() {
        let runs = Arc::default();
        let app = app!(once, handler!(runs, &[202]));
        assert_eq!(send(&app, "1").await, (202, None, "ping run 0".to_owned()));
        assert_eq!(send(&app, "1").await, handled_before());
        assert_eq!(send(&app, "2").await, ran(1));
        assert_eq!(runs.load(Ordering::SeqCst), 2);
    }
}

#[actix_web::test]
async fn a_duplicate_waits_for_the_run_in_progress_if_that_is_set() {
    let gate = Arc::new(Semaphore::new(0));
    let dedup = Dedup::new(MemoryStore::new()).wait(Duration::from_secs(60));
    let handler = {
        let gate = Arc::clone(&gate);
        move |webhook: Webhook| {
            let gate = Arc::clone(&gate);
            async move {
                gate.acquire().await.unwrap().forget();
                HttpResponse::Ok().body(format!("{} handled", webhook.event_type()))
            }
        }
    };
    let app = app!(DedupMiddleware::new(dedup), handler);
    let open = async {
        for _ in 0..100 {
            yield_now().await;
        }
        gate.add_permits(1);
    };
    let (first, second, ()) = tokio::join!(send(&app, "1"), send(&app, "1"), open);
    assert_eq!(first, (200, None, "ping handled".to_owned()));
    assert_eq!(second, handled_before());
}

#[actix_web::test]
async fn any_other_status_than_2xx_releases_the_delivery() {
    let statuses = &[500, 404, 302, 400];
    let app = app!(once(), handler!(Arc::default(), statuses));
    for (run, status) in statuses.iter().enumerate() {
        assert_eq!(send(&app, "1").await, (*status, None, format!("ping run {run}")));
    }
    assert_eq!(send(&app, "1").await, ran(4));
    assert_eq!(send(&app, "1").await, handled_before());
}

#[actix_web::test]
async fn a_path_without_a_handler_releases_the_delivery() {
    let app = app!(once(), handler!(Arc::default(), &[]));
    for _ in 0..2 {
        let elsewhere = request("1").uri("/webhooks/elsewhere").to_request();
        assert_eq!(try_call_service(&app, elsewhere).await.unwrap().status(), 404);
    }
    assert_eq!(send(&app, "1").await, ran(0));
}

#[actix_web::test]
async fn an_error_of_an_inner_middleware_releases_the_delivery_and_is_passed_on() {
    for (_, once) in both() {
        let runs = Rc::new(Cell::new(0));
        let fails = {
            let runs = Rc::clone(&runs);
            move |request: ServiceRequest, next: Next<_>| {
                runs.set(runs.get() + 1);
                let fails = runs.get() == 1;
                async move {
                    match fails {
                        true => Err(ErrorImATeapot("it failed")),
                        false => next.call(request).await,
                    }
                }
            }
        };
        let scope = web::scope("/webhooks")
            .route("/ping", web::post().to(async || "done"))
            .wrap(from_fn(fails))
            .wrap(once)
            .wrap(verify());
        let app = init_service(App::new().service(scope)).await;
        let error = match try_call_service(&app, request("1").to_request()).await {
            Err(error) => error.to_string(),
            Ok(response) => panic!("{}", response.status()),
        };
        assert_eq!(error, "it failed");
        assert_eq!(send(&app, "1").await.2, "done");
        assert_eq!(send(&app, "1").await, handled_before());
    }
}

#[actix_web::test]
async fn a_panic_of_the_handler_releases_the_delivery_and_is_passed_on() {
    for (_, once) in both() {
        let runs = Arc::new(AtomicUsize::new(0));
        let app = Rc::new(app!(once, move |_: Webhook| {
            let run = runs.fetch_add(1, Ordering::SeqCst);
            async move {
                match run {
                    0 => panic!("a bug in the handler"),
                    _ => "fixed",
                }
            }
        }));
        let panicked = spawn({
            let app = Rc::clone(&app);
            async move { send(&*app, "1").await }
        });
        let panic = panicked.await.unwrap_err().into_panic();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"a bug in the handler"));
        assert_eq!(send(&*app, "1").await.2, "fixed");
    }
}

#[actix_web::test]
async fn a_delivery_in_progress_is_answered_with_503_and_retry_after() {
    let (begun, gate) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let app = Rc::new(app!(once(), {
        let (begun, gate) = (Arc::clone(&begun), Arc::clone(&gate));
        move |_: Webhook| {
            let gate = Arc::clone(&gate);
            begun.add_permits(1);
            async move {
                gate.acquire().await.unwrap().forget();
                "done"
            }
        }
    }));
    let first = spawn({
        let app = Rc::clone(&app);
        async move { send(&*app, "1").await }
    });
    begun.acquire().await.unwrap().forget();
    let detail = "Webhook delivery is being handled already";
    let body = problem(503, "Service Unavailable", "delivery_in_progress", detail);
    assert_eq!(send(&*app, "1").await, (503, Some("5".to_owned()), body));
    gate.add_permits(1);
    assert_eq!(first.await.unwrap().2, "done");
    assert_eq!(send(&*app, "1").await, handled_before());
}

#[actix_web::test]
async fn if_the_store_is_down_the_answer_is_503_or_with_fail_open_the_handlers() {
    let store = Faulty::new();
    store.set_all(Fault::Down);
    let closed = Dedup::new(store);
    let runs = Arc::default();
    let app = app!(DedupMiddleware::new(closed.clone()), handler!(runs, &[]));
    let detail = "Webhook deduplication is not available";
    let body = problem(503, "Service Unavailable", "dedup_unavailable", detail);
    assert_eq!(send(&app, "1").await, (503, Some("5".to_owned()), body));
    assert_eq!(runs.load(Ordering::SeqCst), 0);

    let app = app!(DedupMiddleware::new(closed.fail_open()), handler!(runs, &[]));
    assert_eq!(send(&app, "1").await, ran(0));
}

#[actix_web::test]
async fn if_the_store_fails_after_the_handler_the_answer_is_the_handlers() {
    let store = Faulty::new();
    store.set(Operation::Complete, Fault::Down);
    let app = app!(DedupMiddleware::new(Dedup::new(store.clone())), handler!(Arc::default(), &[]));
    assert_eq!(send(&app, "1").await, ran(0));
    assert_ne!(store.calls(Operation::Complete), 0);
}

#[actix_web::test]
async fn an_unverified_request_is_answered_with_500_and_names_the_missing_middleware() {
    let never = async || -> String { panic!("it must not run") };
    let scope = web::scope("/webhooks").route("/ping", web::post().to(never)).wrap(once());
    let app = init_service(App::new().service(scope)).await;
    let detail = "Webhook is not verified: wrap VerifyWebhook outside of DedupMiddleware";
    let body = problem(500, "Internal Server Error", "webhook_not_verified", detail);
    assert_eq!(send(&app, "1").await, (500, None, body));
}

#[actix_web::test]
async fn a_rejected_request_claims_nothing() {
    let (store, runs) = (Faulty::new(), Arc::default());
    let app = app!(DedupMiddleware::new(Dedup::new(store.clone())), handler!(runs, &[]));
    let forged = request("1").insert_header((SIGNATURE_HEADER, "t=1,sha256=0"));
    let response = try_call_service(&app, forged.to_request()).await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!((store.calls(Operation::Claim), runs.load(Ordering::SeqCst)), (0, 0));
}

#[actix_web::test]
async fn deliveries_of_the_same_id_are_handled_once() {
    let once = once().id(|webhook| DeliveryId::of("first byte", &webhook.body[..1]));
    let app = app!(once, handler!(Arc::default(), &[]));
    assert_eq!(send(&app, "10").await, ran(0));
    assert_eq!(send(&app, "12").await, handled_before());
    assert_eq!(send(&app, "20").await, ran(1));
}

#[actix_web::test]
async fn only_if_passes_the_others_through_without_a_claim() {
    let store = Faulty::new();
    let once =
        DedupMiddleware::new(Dedup::new(store.clone())).only_if(|webhook| webhook.body == "1");
    let app = app!(once, handler!(Arc::default(), &[]));
    for run in 0..2 {
        assert_eq!(send(&app, "2").await, ran(run));
    }
    assert_eq!(store.calls(Operation::Claim), 0);
    assert_eq!(send(&app, "1").await, ran(2));
    assert_eq!(send(&app, "1").await, handled_before());
}

#[actix_web::test]
async fn tenants_are_kept_apart() {
    let dedup = Dedup::new(MemoryStore::new());
    let runs: Arc<AtomicUsize> = Arc::default();
    for (tenant, answer) in [("a", ran(0)), ("b", ran(1)), ("a", handled_before())] {
        let verifier = Verifier::new(Secret::new(SECRET).unwrap()).tenant(tenant);
        let scope = web::scope("/webhooks")
            .route("/ping", web::post().to(handler!(runs, &[])))
            .wrap(DedupMiddleware::new(dedup.clone()))
            .wrap(VerifyWebhook::new(verifier));
        let app = init_service(App::new().service(scope)).await;
        assert_eq!(send(&app, "1").await, answer, "{tenant}");
    }
}

#[actix_web::test]
async fn the_handler_gets_a_lease_handle_and_the_verified_body() {
    let app = app!(once(), async |lease: web::ReqData<LeaseHandle>, body: String| {
        format!("{body} {:?}", lease.fencing_token())
    });
    assert_eq!(send(&app, "1").await.2, "1 Some(1)");
}

#[actix_web::test]
async fn a_timeout_cancels_the_handler_only_with_stop_with_sender() {
    for (completes, once) in both() {
        let (begun, ended) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
        let gate = Arc::new(Semaphore::new(0));
        let app = app!(once, {
            let (begun, ended, gate) = (Arc::clone(&begun), Arc::clone(&ended), Arc::clone(&gate));
            move |_: Webhook| {
                let (ended, gate) = (Arc::clone(&ended), Arc::clone(&gate));
                begun.add_permits(1);
                async move {
                    gate.acquire().await.unwrap().forget();
                    ended.fetch_add(1, Ordering::SeqCst);
                    "done"
                }
            }
        });
        {
            let mut sending = Box::pin(send(&app, "1"));
            tokio::select! {
                _ = &mut sending => panic!("it waits for the gate"),
                permit = begun.acquire() => permit.unwrap().forget(),
            }
        }
        // The sender is gone.
        if completes {
            assert_eq!(send(&app, "1").await.0, 503);
            gate.add_permits(1);
            let handled = async {
                while send(&app, "1").await != handled_before() {
                    yield_now().await;
                }
            };
            timeout(Duration::from_secs(10), handled).await.unwrap();
            assert_eq!((ended.load(Ordering::SeqCst), begun.available_permits()), (1, 0));
        } else {
            gate.add_permits(1);
            assert_eq!(send(&app, "1").await.2, "done", "it ran again");
            assert_eq!((ended.load(Ordering::SeqCst), begun.available_permits()), (1, 1));
        }
    }
}

/// Log events of the handler stay in the request's span.
#[actix_web::test]
async fn a_handler_is_in_the_span_of_its_request() {
    let _subscriber = tracing::subscriber::set_default(tracing_subscriber::registry());
    for (completes, once) in both() {
        let app = app!(once, async |_: Webhook| {
            tracing::Span::current().metadata().map_or("no span", |span| span.name())
        });
        let answer = send(&app, "1").instrument(tracing::info_span!("a request")).await;
        assert_eq!(answer.2, "a request", "{completes}");
    }
}

#[actix_web::test]
async fn after_a_shutdown_a_delivery_is_answered_with_503() {
    let dedup = Dedup::new(MemoryStore::new());
    let app = app!(DedupMiddleware::new(dedup.clone()), handler!(Arc::default(), &[]));
    assert_eq!(send(&app, "1").await, ran(0));
    assert!(dedup.shutdown(Duration::from_secs(10)).await.is_empty());
    assert_eq!(send(&app, "2").await.0, 503);
}

#[test]
fn the_debug_output_names_the_scope() {
    let once = DedupMiddleware::new(Dedup::new(MemoryStore::new()).scope("mailer"));
    assert!(format!("{once:?}").contains("mailer"), "{once:?}");
}

fn server(once: DedupMiddleware, work: Duration, runs: &Runs) -> Server {
    let runs = runs.clone();
    let handler = move |_: Webhook| {
        let runs = runs.clone();
        async move {
            runs.begun.fetch_add(1, Ordering::SeqCst);
            sleep(work).await;
            runs.ended.fetch_add(1, Ordering::SeqCst);
            ""
        }
    };
    Server::actix(move |app| {
        let route = web::post().to(handler.clone());
        app.service(web::resource("/webhooks").route(route).wrap(once.clone()).wrap(verify()));
    })
}

/// Sends a delivery and disconnects once its handler has begun.
fn hang_up(server: &Server, runs: &Runs) {
    let mut connection = Connection::open(server.address);
    connection.send(&delivery());
    until("it begins", || runs.begun.load(Ordering::SeqCst) == 1);
    connection.reset();
}

#[test]
fn the_handler_survives_a_disconnected_client_unless_it_stops_with_its_sender() {
    for (once, counts) in [(once(), [1, 1]), (once().stop_with_sender(), [2, 1])] {
        let runs = Runs::default();
        let server = server(once, Duration::from_millis(300), &runs);
        hang_up(&server, &runs);
        assert_eq!(send_until_handled(&server), 200);
        assert_eq!(runs.counts(), counts);
    }
}

#[test]
fn a_shutdown_waits_for_a_handler_whose_client_has_disconnected() {
    let (dedup, runs) = (Dedup::new(MemoryStore::new()), Runs::default());
    let server = server(DedupMiddleware::new(dedup.clone()), Duration::from_millis(300), &runs);
    hang_up(&server, &runs);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let unfinished = runtime.block_on(dedup.shutdown(Duration::from_secs(10)));
    assert!(unfinished.is_empty(), "{unfinished}");
    assert_eq!(runs.counts(), [1, 1]);
    assert_eq!(exchange(server.address, &delivery()).status, 503);
}
