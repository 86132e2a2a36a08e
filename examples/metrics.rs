//! An axum server that is watched: metrics for Prometheus, and a status page. `monitoring/` has alert rules and a
//! Grafana dashboard for them.
//!
//! ```sh
//! PIERRE_WEBHOOK_SECRET=whsec_k3yForDocsOnly_2f6c cargo run --bin example-metrics
//! PIERRE_WEBHOOK_SECRET=whsec_k3yForDocsOnly_2f6c examples/send.sh
//! curl http://127.0.0.1:9187/metrics http://127.0.0.1:9187/status
//! ```
//!
//! Webhooks arrive at `BIND_ADDRESS` (default: 127.0.0.1:8787). Metrics and status are served at `METRICS_ADDRESS`
//! (default: 127.0.0.1:9187), which only your own network should reach.

mod shutdown;

use std::{
    env,
    error::Error,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::StatusCode,
    middleware::{Next, from_fn_with_state},
    response::Response,
    routing::{get, post},
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use pierre_webhook_tower::{Rejection, Secret, Verifier, VerifyWebhookLayer, Webhook, metrics};
use serde::Serialize;
use tokio::net::TcpListener;
use tower_http::timeout::TimeoutLayer;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// The bounds of the histograms. Without them, the exporter makes summaries, which can't be added up.
const AGES: [f64; 8] = [0.1, 0.5, 1.0, 5.0, 30.0, 60.0, 120.0, 300.0];
const SIZES: [f64; 6] = [256.0, 1024.0, 4096.0, 16_384.0, 131_072.0, 1_048_576.0];

/// What the status page shows.
#[derive(Clone, Default, Serialize)]
struct Status {
    accepted: u64,
    rejected: u64,
    last_accepted_at: Option<u64>,
    last_rejected_at: Option<u64>,
    last_rejection: Option<String>,
}

/// Runs outside of the layer, so it sees each response, and the `Rejection` if there is one.
async fn watch(State(status): State<Arc<Mutex<Status>>>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut status = status.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(rejection) = response.extensions().get::<Rejection>() {
        status.rejected += 1;
        (status.last_rejected_at, status.last_rejection) = (Some(now), Some(rejection.to_string()));
    } else {
        (status.accepted, status.last_accepted_at) = (status.accepted + 1, Some(now));
    }
    drop(status);
    response
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let verifier = Verifier::new(Secret::from_env("PIERRE_WEBHOOK_SECRET")?);
    let address =
        |variable, default: &str| env::var(variable).unwrap_or_else(|_| default.to_owned());
    let webhooks = TcpListener::bind(address("BIND_ADDRESS", "127.0.0.1:8787")).await?;
    let watched = TcpListener::bind(address("METRICS_ADDRESS", "127.0.0.1:9187")).await?;
    println!("webhooks: http://{}/webhooks", webhooks.local_addr()?);
    println!("metrics: http://{}/metrics", watched.local_addr()?);

    let prometheus = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_age_seconds".to_owned()), &AGES)?
        .set_buckets_for_metric(Matcher::Suffix("_bytes".to_owned()), &SIZES)?
        .install_recorder()?;
    metrics::describe();

    let status = Arc::new(Mutex::new(Status::default()));
    let layers = (
        TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIMEOUT),
        from_fn_with_state(Arc::clone(&status), watch),
        VerifyWebhookLayer::new(verifier),
    );
    let app = Router::new().route("/webhooks", post(receive).route_layer(layers));
    let operators = Router::new().route("/metrics", get(async move || prometheus.render())).route(
        "/status",
        get(async move || Json(status.lock().unwrap_or_else(PoisonError::into_inner).clone())),
    );

    let (told_to_end, told_to_end_too) = (shutdown::signal()?, shutdown::signal()?);
    tokio::try_join!(
        axum::serve(webhooks, app).with_graceful_shutdown(told_to_end).into_future(),
        axum::serve(watched, operators).with_graceful_shutdown(told_to_end_too).into_future(),
    )?;
    Ok(())
}

async fn receive(webhook: Webhook) -> StatusCode {
    println!("{}", webhook.event_type());
    StatusCode::NO_CONTENT
}
