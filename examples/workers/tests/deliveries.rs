//! The delivery table through axum, in a JavaScript engine: `.ci/wasm` runs it in Node.
#![cfg(target_family = "wasm")]

#[allow(unreachable_pub, dead_code, reason = "the tests of all crates share it")]
#[path = "../../../tests/src/vectors.rs"]
mod vectors;

use axum::{Router, body::Body, extract::Request, routing::post};
use http_body_util::BodyExt as _;
use pierre_webhook_core::{Secret, TestDelivery, Verifier};
use pierre_webhook_tower::{VerifyWebhookLayer, Webhook};
use serde::Deserialize;
use tower_service::Service as _;
use wasm_bindgen_test::wasm_bindgen_test;

use self::vectors::Answer;

#[wasm_bindgen_test]
async fn every_delivery_of_the_table_gets_its_answer_through_axum() {
    // HTTP forbids the byte 7f in a header.
    let table = vectors::deliveries().into_iter().filter(|vector| vector.name != "hdr-del-byte");
    let table: Vec<_> = table.collect();
    assert_eq!(table.len(), 171);
    let mut wrong = Vec::new();
    for vector in table {
        let mut request = http::Request::post("/");
        for (name, value) in &vector.headers {
            request = request.header(*name, value.as_slice());
        }
        let request = request.body(vector.body.clone().into()).expect("a request");
        wrong.extend(vector.judge(&answer(vector.verifier(), request).await));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[wasm_bindgen_test]
async fn the_clock_is_that_of_the_engine() {
    let secret = Secret::new("whsec_k3yForDocsOnly_2f6c").expect("a secret");
    let verifier = Verifier::new(secret.clone());
    let fresh = TestDelivery::push().request("/", &secret).map(Body::from);
    assert_eq!(
        answer(verifier.clone(), fresh).await.map(|(event, _)| event).as_deref(),
        Ok("push")
    );

    let stale = TestDelivery::push().signed_at(1_700_000_000).request("/", &secret).map(Body::from);
    let text = answer(verifier, stale).await.expect_err("a rejection");
    assert!(text.starts_with("Webhook timestamp too old"), "{text}");
}

async fn answer(verifier: Verifier, request: Request) -> Answer {
    async fn handle(webhook: Webhook) -> String {
        format!("{} {}", webhook.signed_at, webhook.event_type())
    }
    let layer = VerifyWebhookLayer::new(verifier);
    let mut router = Router::new().route("/", post(handle)).layer(layer);
    let Ok(response) = router.call(request).await;
    let is_ok = response.status().is_success();
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    if is_ok {
        let text = str::from_utf8(&body).expect("a text");
        let (signed_at, event) = text.split_once(' ').expect("two parts");
        return Ok((event.to_owned(), signed_at.parse().expect("a number")));
    }
    #[derive(Deserialize)]
    struct Problem {
        detail: String,
    }
    let problem: Problem = serde_json::from_slice(&body).expect("a problem");
    Err(problem.detail)
}
