//! The tower layer in every position of a stack. Each test sends a valid and a tampered delivery through it.

use std::{convert::Infallible, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    handler::Handler,
    middleware::{Next, from_fn, from_fn_with_state},
    response::Response,
    routing::{MethodRouter, post},
};
use bytes::Bytes;
use http::{StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use pierre_webhook_tests::{
    client::{self, exchange},
    sample::{BODY, delivery, tampered, verifier},
    scripted::Scripted,
};
use pierre_webhook_tower::{
    LiveVerifier, ProblemResponse, Rejection, Verifier, VerifyWebhook, VerifyWebhookLayer, Webhook,
};
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};
use tower_http::{
    compression::CompressionLayer,
    decompression::RequestDecompressionLayer,
    limit::RequestBodyLimitLayer,
    timeout::{RequestBodyTimeoutLayer, TimeoutLayer},
    trace::TraceLayer,
};

const PATIENCE: Duration = Duration::from_secs(10);

async fn receive(webhook: Webhook, body: Bytes) -> String {
    assert_eq!(webhook.body, body, "the inner service gets the verified bytes");
    webhook.event_type().to_owned()
}

fn layer() -> VerifyWebhookLayer<Verifier> {
    VerifyWebhookLayer::new(verifier())
}

fn request(of: &client::Request) -> Request {
    of.to_http(Body::from(of.body.clone()))
}

/// Checks the responses to a valid and to a tampered delivery.
async fn assert_verifies(router: Router) {
    for (of, status, text) in [(delivery(), 200, "ping"), (tampered(), 401, "Invalid signature")] {
        let response = router.clone().oneshot(request(&of)).await.unwrap();
        assert_eq!(response.status(), status);
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        assert!(String::from_utf8_lossy(&body).contains(text), "{body:?}");
    }
}

#[tokio::test]
async fn the_layer_works_around_a_router() {
    assert_verifies(Router::new().route("/webhooks", post(receive)).layer(layer())).await;
}

#[tokio::test]
async fn the_layer_works_around_the_routes_of_a_router() {
    let router = Router::new()
        .route("/webhooks", post(receive))
        .route_layer(layer())
        .fallback(async || "fallback");
    assert_verifies(router.clone()).await;
    let response =
        router.oneshot(Request::post("/other").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), 200, "route_layer applies only to routes");
}

#[tokio::test]
async fn the_layer_works_around_a_method_router() {
    let methods: MethodRouter = post(receive).layer(layer());
    assert_verifies(Router::new().route("/webhooks", methods)).await;
}

#[tokio::test]
async fn the_layer_works_around_a_handler() {
    assert_verifies(Router::new().route("/webhooks", post(receive.layer(layer())))).await;
}

#[tokio::test]
async fn the_layer_works_around_a_router_with_state() {
    let handler = async |state: axum::extract::State<u8>, webhook: Webhook| {
        assert_eq!(state.0, 7);
        webhook.event_type().to_owned()
    };
    let finder = |_: &http::request::Parts| async { Ok::<_, Infallible>(Some(verifier())) };
    let router = Router::new()
        .route("/webhooks", post(handler))
        .layer(VerifyWebhookLayer::new(finder))
        .with_state(7);
    assert_verifies(router).await;
}

#[tokio::test]
async fn the_layer_works_above_and_below_every_usual_layer() {
    let pass = || from_fn(|request: Request, next: Next| next.run(request));
    let with_state = from_fn_with_state(
        7,
        |state: axum::extract::State<u8>, request: Request, next: Next| async move {
            assert_eq!(state.0, 7);
            next.run(request).await
        },
    );
    let layers = ServiceBuilder::new()
        .layer(pass())
        .layer(TraceLayer::new_for_http())
        .layer(CompressionLayer::new())
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, PATIENCE))
        .layer(RequestBodyTimeoutLayer::new(PATIENCE))
        .layer(RequestBodyLimitLayer::new(1 << 21))
        .layer(layer().request_body::<Body>())
        .layer(with_state)
        .layer(TraceLayer::new_for_http())
        .layer(CompressionLayer::new())
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, PATIENCE))
        .layer(pass())
        .layer(RequestBodyTimeoutLayer::new(PATIENCE))
        .layer(RequestBodyLimitLayer::new(1 << 21));
    assert_verifies(Router::new().route("/webhooks", post(receive)).layer(layers)).await;
}

#[tokio::test]
async fn the_layer_works_outside_of_decompression() {
    let layers = ServiceBuilder::new().layer(layer()).layer(RequestDecompressionLayer::new());
    assert_verifies(Router::new().route("/webhooks", post(receive)).layer(layers)).await;
}

#[tokio::test]
async fn the_layer_works_in_a_tuple_of_layers() {
    let layers = (TraceLayer::new_for_http(), layer());
    assert_verifies(Router::new().route("/webhooks", post(receive)).layer(layers)).await;
}

#[tokio::test]
async fn the_layer_works_twice_in_one_stack() {
    let layers = ServiceBuilder::new().layer(layer()).layer(layer());
    assert_verifies(Router::new().route("/webhooks", post(receive)).layer(layers)).await;
}

#[tokio::test]
async fn the_layer_works_with_every_kind_of_finder_and_rejection_response() {
    let routed = || Router::new().route("/webhooks", post(receive));
    assert_verifies(routed().layer(VerifyWebhookLayer::new(LiveVerifier::new(verifier())))).await;
    let fixed = |_: &http::request::Parts| std::future::ready(Ok::<_, String>(Some(verifier())));
    assert_verifies(routed().layer(VerifyWebhookLayer::new(fixed))).await;
    let own = |rejection: Rejection| {
        Response::builder()
            .status(rejection.status())
            .body(Body::from(rejection.to_string()))
            .unwrap()
    };
    assert_verifies(routed().layer(layer().with_rejection_response(own))).await;
    let both = VerifyWebhookLayer::new(fixed).with_rejection_response(own).request_body::<Body>();
    assert_verifies(routed().layer(both)).await;
}

#[tokio::test]
async fn the_layer_works_around_a_service_fn() {
    let inner = service_fn(|request: Request<Full<Bytes>>| async {
        assert_eq!(request.extensions().get::<Webhook>().unwrap().event_type(), "ping");
        let body = request.into_body().collect().await.unwrap().to_bytes();
        Ok::<_, Infallible>(Response::new(Full::new(body)))
    });
    let service: VerifyWebhook<_, Verifier, ProblemResponse, Full<Bytes>> =
        layer().request_body().layer(inner);
    let response = service.clone().oneshot(request(&delivery())).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), BODY);
    let response = service.oneshot(request(&tampered())).await.unwrap();
    assert_eq!(response.status(), 401);
}

#[tokio::test]
async fn the_layer_works_in_a_bare_hyper_server() {
    async fn inner(
        request: Request<pierre_webhook_tower::VerifiedBody>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        Ok(Response::new(Full::new(request.into_body().into_bytes())))
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(layer().layer(service_fn(inner)));
            tokio::spawn(
                hyper::server::conn::http1::Builder::new()
                    .timer(TokioTimer::new())
                    .serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    let answers = tokio::task::spawn_blocking(move || {
        [delivery(), tampered()].map(|of| exchange(address, &of.with_content_length()))
    });
    let [good, wrong] = answers.await.unwrap();
    server.abort();
    assert_eq!((good.status, &*good.body), (200, BODY.as_bytes()));
    assert_eq!((wrong.status, &*wrong.detail()), (401, "Invalid signature"));
}

#[tokio::test]
async fn a_body_over_an_outer_limit_is_too_large_for_the_server() {
    let router = Router::new().route("/webhooks", post(receive));
    let layers =
        ServiceBuilder::new().layer(RequestBodyLimitLayer::new(BODY.len() - 1)).layer(layer());
    let mut unsized_body = request(&delivery());
    *unsized_body.body_mut() = Body::new(Scripted::data([Bytes::from(BODY)]));
    let response = router.layer(layers).oneshot(unsized_body).await.unwrap();
    assert_eq!(response.status(), 413);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    assert!(String::from_utf8_lossy(&body).contains("Webhook body larger than the server allows"));
}

#[tokio::test]
async fn a_route_layer_leaves_other_methods_and_paths_to_the_router() {
    let inside = Router::new().route("/webhooks", post(receive).route_layer(layer()));
    let around = Router::new().route("/webhooks", post(receive)).route_layer(layer());
    assert_verifies(inside.clone()).await;
    for (router, statuses) in [(inside, [405, 404]), (around, [400, 404])] {
        let get = Request::get("/webhooks").body(Body::empty()).unwrap();
        let other = Request::post("/other").body(Body::empty()).unwrap();
        for (request, status) in [get, other].into_iter().zip(statuses) {
            assert_eq!(router.clone().oneshot(request).await.unwrap().status(), status);
        }
    }
}
