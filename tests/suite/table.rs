//! The delivery table over sockets, through axum and actix, with `Content-Length` and chunked.

use std::{collections::HashMap, convert::Infallible, sync::Arc};

use actix_web::HttpRequest;
use http::request::Parts;
use pierre_webhook_core::Verifier;
use pierre_webhook_tests::{
    client::{Request, Response, exchange},
    server::{Handled, Server, actix_with, axum_with},
    vectors::{Answer, deliveries},
};

/// Names the vector whose verifier a request is checked with.
const VECTOR_HEADER: &str = "x-vector";

type Verifiers = Arc<HashMap<String, Verifier>>;

#[test]
fn every_delivery_gets_its_answer_through_both_frameworks() {
    // Servers refuse a control byte in a header themselves.
    let vectors: Vec<_> =
        deliveries().into_iter().filter(|vector| vector.name != "hdr-del-byte").collect();
    let verifiers: Verifiers =
        Arc::new(vectors.iter().map(|vector| (vector.name.clone(), vector.verifier())).collect());

    let handled = [Handled::default(), Handled::default()];
    let servers =
        [axum(Arc::clone(&verifiers), handled[0].clone()), actix(verifiers, handled[1].clone())];
    let mut failures = Vec::new();
    let mut accepted = 0;
    for vector in &vectors {
        let request = vector.headers.iter().fold(
            Request::new(vector.body.to_vec()).header(VECTOR_HEADER, vector.name.as_str()),
            |request, (name, value)| request.header(name, value.as_slice()),
        );
        for bytes in [request.with_content_length(), request.chunked(1 << 14)] {
            let [by_axum, by_actix] =
                [0, 1].map(|server: usize| exchange(servers[server].address, &bytes));
            for (server, response) in servers.iter().zip([&by_axum, &by_actix]) {
                failures.extend(
                    vector
                        .judge(&answer(response))
                        .map(|wrong| format!("{}: {wrong}", server.name)),
                );
            }
            if signs(&by_axum) != signs(&by_actix) {
                failures.push(format!("{}: {by_axum:?} is not {by_actix:?}", vector.name));
            }
            accepted += usize::from(by_axum.status == 200);
        }
    }
    assert!(failures.is_empty(), "{} wrong answers:\n{}", failures.len(), failures.join("\n"));
    assert_eq!(handled.map(|handled| handled.count()), [accepted; 2]);
}

/// What must be equal in both frameworks: all but what a server adds of its own.
fn signs(response: &Response) -> (u16, [Option<&str>; 3], &[u8]) {
    let headers = match response.status {
        200 => [None; 3],
        _ => ["content-type", "www-authenticate", "retry-after"].map(|name| response.header(name)),
    };
    (response.status, headers, &response.body)
}

fn answer(response: &Response) -> Answer {
    let body = response.json();
    if response.status == 200 {
        let event = body["event"].as_str().expect("an event").to_owned();
        Ok((event, body["timestamp"].as_u64().expect("a timestamp")))
    } else {
        assert_eq!(body["status"], response.status);
        Err(response.detail())
    }
}

fn axum(verifiers: Verifiers, handled: Handled) -> Server {
    let finder = move |parts: &Parts| {
        let name = parts.headers[VECTOR_HEADER].to_str().expect("a name");
        let found = verifiers.get(name).cloned();
        async move { Ok::<_, Infallible>(found) }
    };
    axum_with(finder, handled)
}

fn actix(verifiers: Verifiers, handled: Handled) -> Server {
    let finder = move |request: &HttpRequest| {
        let name = request.headers().get(VECTOR_HEADER).expect("a name");
        let found = verifiers.get(name.to_str().expect("a name")).cloned();
        async move { Ok::<_, Infallible>(found) }
    };
    actix_with(finder, handled)
}
