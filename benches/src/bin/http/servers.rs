//! The servers: bare ones, ours, and those of other crates, which do the same work with GitHub's header.

use std::{collections::HashMap, convert::Infallible, net::TcpListener, sync::Arc};

use actix_web::{App, HttpResponse, HttpServer, web};
use axum::{Router, body::Bytes, routing::post};
use axum_github_webhook_extract::{GithubEvent, GithubToken};
use http::request::Parts;
use pierre_webhook_actix::WebhookConfig;
use pierre_webhook_benches::sample::{SECRET, verifier};
use pierre_webhook_tower::{FindVerifier, Verifier, VerifyWebhookLayer};
use serde::Deserialize;
use tower_github_webhook::ValidateGitHubWebhookLayer;

pub(crate) const NAMES: [&str; 8] = [
    "axum-bare",
    "axum",
    "axum-1-tenant",
    "axum-10000-tenants",
    "tower-github-webhook",
    "axum-github-webhook-extract",
    "actix-bare",
    "actix",
];

/// The fields of a push that the other crates' handlers read.
#[derive(Deserialize)]
#[expect(dead_code, reason = "it is only parsed, as the handlers of the other crates would")]
struct Push {
    repository: Repository,
    #[serde(rename = "ref")]
    git_ref: String,
    before: String,
    after: String,
    customer_id: String,
    pushed_at: String,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "as above")]
struct Repository {
    id: String,
    url: String,
}

/// Prints the address, then serves until the process is killed.
pub(crate) fn serve(name: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    println!("{}", listener.local_addr().expect("an address"));
    match name {
        "actix-bare" | "actix" => serve_actix(name, listener),
        _ => serve_axum(router(name), listener),
    }
}

fn serve_axum(router: Router, listener: TcpListener) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        listener.set_nonblocking(true).expect("a socket");
        let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
        axum::serve(listener, router).await.expect("a server");
    });
}

fn router(name: &str) -> Router {
    match name {
        "axum-bare" => Router::new().route("/webhooks", post(async |_: Bytes| ())),
        "axum" => layered(verifier(1)),
        "axum-1-tenant" => tenants(1),
        "axum-10000-tenants" => tenants(10_000),
        "tower-github-webhook" => {
            let handler = async |body: Bytes| {
                serde_json::from_slice::<Push>(&body)
                    .map(drop)
                    .map_err(|_| http::StatusCode::BAD_REQUEST)
            };
            let layer = ValidateGitHubWebhookLayer::new(SECRET);
            Router::new().route("/webhooks", post(handler).layer(layer))
        }
        "axum-github-webhook-extract" => Router::new()
            .route("/webhooks", post(async |_: GithubEvent<Push>| ()))
            .with_state(GithubToken(Arc::new(SECRET.to_owned()))),
        _ => panic!("no such server"),
    }
}

/// Returns a router that looks up the verifier of the tenant in the header `x-tenant`.
fn tenants(count: usize) -> Router {
    let tenants: HashMap<String, Verifier> =
        (0..count).map(|tenant| (tenant.to_string(), verifier(1))).collect();
    let tenants = Arc::new(tenants);
    layered(move |parts: &Parts| {
        let found = parts.headers.get("x-tenant").and_then(|name| tenants.get(name.to_str().ok()?));
        let found = found.cloned();
        async move { Ok::<_, Infallible>(found) }
    })
}

fn layered<V>(finder: V) -> Router
where
    V: FindVerifier<Parts, Future: Send> + Clone + Send + Sync + 'static,
{
    let handler = async |_: pierre_webhook_tower::Webhook| ();
    Router::new().route("/webhooks", post(handler).layer(VerifyWebhookLayer::new(finder)))
}

fn serve_actix(name: &str, listener: TcpListener) {
    let is_bare = name == "actix-bare";
    let config = WebhookConfig::new(verifier(1));
    actix_web::rt::System::new().block_on(async move {
        HttpServer::new(move || {
            let route = if is_bare {
                web::post().to(async |_: Bytes| HttpResponse::Ok().finish())
            } else {
                web::post().to(async |_: pierre_webhook_actix::Webhook| HttpResponse::Ok().finish())
            };
            App::new().app_data(config.clone()).route("/webhooks", route)
        })
        .workers(1)
        .listen(listener)
        .expect("a listener")
        .run()
        .await
        .expect("a server");
    });
}
