//! `cargo run --release --bin layers`: where the time of a verified request goes. Measures an empty layer, reading the
//! body, the parts of the verification, and what is left for the adapters. Everything runs in one process, without a
//! socket. With `--features metrics` everything is counted, and with `-- --recorder` a recorder for Prometheus takes it.

mod least;

use std::{
    convert::Infallible,
    hint::black_box,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    time::Duration,
};

use actix_web::{
    FromRequest, HttpRequest, dev::Payload, error::PayloadError, rt, test::TestRequest,
};
use axum::{
    Router,
    body::{Body, Bytes},
    routing::post,
};
use http::{Method, Request, Uri};
use least::{Least, LeastLayer};
use pierre_webhook_actix::WebhookConfig;
use pierre_webhook_benches::{
    measure::{Case, Figure, measure},
    sample::{Sample, verifier},
};
use pierre_webhook_core::{DeliveryHeaders, Event};
use pierre_webhook_dedup::{Dedup, DedupLayer, MemoryStore};
use pierre_webhook_tower::{VerifyWebhookLayer, Webhook};
use tower_service::Service;

const ROUNDS: usize = 201;

fn main() {
    #[cfg(feature = "metrics")]
    if std::env::args().any(|argument| argument == "--recorder") {
        metrics_exporter_prometheus::PrometheusBuilder::new()
            .install_recorder()
            .expect("a recorder");
    }
    rt::System::new().block_on(async {
        // As in a server, another timer is due before that of the extractor. The first timer would wake the runtime.
        let timer = rt::spawn(rt::time::sleep(Duration::from_secs(20)));
        rt::time::sleep(Duration::from_millis(1)).await;
        let sample = Sample::of(292);
        print("axum, the whole route", &axum(&sample).await);
        print("actix, the extractor alone", &actix(&sample));
        print("pierre-webhook-core", &core(&sample));
        timer.abort();
    });
}

type Rows = Vec<(&'static str, Figure)>;

/// Prints the rows, compared with the first one.
fn print(title: &str, rows: &Rows) {
    println!("\n{title:<48}{:>8}{:>12}{:>13}", "ns", "over first", "allocations");
    for (name, figure) in rows {
        let over = figure.nanoseconds - rows[0].1.nanoseconds;
        println!("{name:<48}{:>8.0}{over:>12.0}{:>13}", figure.nanoseconds, figure.allocations);
    }
}

fn rows(mut cases: Vec<Case<'_>>) -> Rows {
    let figures = measure(&mut cases, ROUNDS);
    cases.iter().map(|case| case.name).zip(figures).collect()
}

async fn axum(sample: &Sample) -> Rows {
    let least = |least| post(async |_: Bytes| ()).layer(LeastLayer(least));
    let routes = [
        ("a handler that takes the body", post(async |_: Bytes| ())),
        ("and a layer that does nothing", least(Least::Passes)),
        ("that reads the body, adds an extension", least(Least::Reads)),
        ("that verifies, in one call of core", least(Least::Verifies(verifier(1)))),
        (
            "VerifyWebhookLayer",
            post(async |_: Webhook| ()).layer(VerifyWebhookLayer::new(verifier(1))),
        ),
        (
            "and DedupLayer in memory, a duplicate",
            post(async |_: Webhook| ())
                .layer::<_, Infallible>(DedupLayer::new(Dedup::new(MemoryStore::new())))
                .layer(VerifyWebhookLayer::new(verifier(1))),
        ),
    ];
    let mut routers = Vec::new();
    for (name, route) in routes {
        let mut router: Router = Router::new().route("/webhooks", route);
        // From now on it is a duplicate.
        let first = router.call(request(sample)).await;
        assert_eq!(first.map(|response| response.status().as_u16()), Ok(200));
        routers.push((name, router));
    }
    rows(
        routers
            .into_iter()
            .map(|(name, mut router)| {
                Case::new(name, move || {
                    let response = at_once(router.call(request(sample)));
                    assert_eq!(
                        response.as_ref().map(|response| response.status().as_u16()),
                        Ok(200)
                    );
                    response
                })
            })
            .collect(),
    )
}

fn request(sample: &Sample) -> Request<Body> {
    let mut request = Request::new(Body::from(sample.body.clone()));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = Uri::from_static("/webhooks");
    request.headers_mut().clone_from(&sample.good);
    request
}

fn actix(sample: &Sample) -> Rows {
    let request = TestRequest::post().app_data(WebhookConfig::new(verifier(1)));
    let request = sample.good.iter().fold(request, |request, (name, value)| {
        request.insert_header((name.as_str(), value.to_str().expect("a value")))
    });
    let request = request.to_http_request();
    rows(vec![
        Case::new("Bytes", || extract::<Bytes>(&request, sample)),
        Case::new("Webhook", || extract::<pierre_webhook_actix::Webhook>(&request, sample)),
    ])
}

fn core(sample: &Sample) -> Rows {
    let verifier = Box::leak(Box::new(verifier(1)));
    let body = &sample.body;
    let parse = || DeliveryHeaders::parse(black_box(&sample.good)).expect("headers");
    rows(vec![
        Case::new("the headers", parse),
        Case::new("the signature", || verifier.verify_signature(&sample.signature, body)),
        Case::new("the event", || Event::from_json(sample.event_type, body.clone())),
        Case::new("all, the body whole", || verifier.verify(&parse(), body.clone())),
        Case::new("all, as the body arrives", || {
            let mut pending = verifier.begin(&parse())?;
            pending.push(body.clone())?;
            pending.finish()
        }),
    ])
}

/// The body for actix. As from a socket, it isn't ready at the first poll.
struct Arriving(Option<Bytes>, bool);

impl futures_util::Stream for Arriving {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::replace(&mut self.1, true) {
            return Poll::Ready(self.0.take().map(Ok));
        }
        Poll::Pending
    }
}

fn extract<T: FromRequest<Error: std::fmt::Debug>>(request: &HttpRequest, sample: &Sample) -> T {
    let payload = Box::pin(Arriving(Some(sample.body.clone()), false));
    at_once(T::from_request(request, &mut Payload::Stream { payload })).expect("a webhook")
}

/// Polls a future until it is ready, without waiting to be woken.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}
