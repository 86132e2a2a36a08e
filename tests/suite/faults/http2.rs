//! HTTP/2, where one connection carries many requests.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use h2::Reason;
use pierre_webhook_core::EVENT_HEADER;
use pierre_webhook_tests::{
    client::{PATIENCE, Request, Response},
    http2::{Http2, Stream},
    sample::{BODY, NOW, delivery, secret, tampered, verifier},
};

use tokio::task::JoinSet;

use super::{Watched, watched};

/// A delivery whose body is as large as the default limit allows, which is larger than every window.
pub(super) fn large() -> Request {
    let body = format!("{BODY}{}", " ".repeat((1 << 20) - BODY.len()));
    Request::delivery("ping", &secret().sign(NOW, body.as_bytes()), body)
}

/// Sends a valid delivery except for the end of the stream, so that what arrived has a valid signature.
async fn unended(client: &Http2) -> Stream {
    let mut stream = client.start(&delivery()).await.expect("a stream");
    stream.body.send_data(BODY.into(), false).expect("an open stream");
    stream
}

/// Checks that the connection serves a delivery. Afterwards its first round trip is over.
pub(super) async fn assert_serves(client: &Http2, name: &str) {
    let response = client.exchange(&delivery()).await.expect("an answer");
    assert_eq!(response.status, 200, "{name}");
}

pub(super) fn text(response: &Response) -> (u16, String) {
    (response.status, if response.status == 200 { String::new() } else { response.detail() })
}

/// Bounds the time of a test whose waits have no limit of their own.
pub(super) async fn within<T>(test: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, test).await.expect("it ends in time")
}

pub(super) async fn open(address: SocketAddr) -> Http2 {
    within(Http2::open(address)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn many_concurrent_streams_each_get_the_right_response() {
    const STREAMS: usize = 600;
    for Watched { server, handled, .. } in watched(&verifier()) {
        let client = open(server.address).await;
        let kinds = [
            (delivery(), 200, ""),
            (tampered(), 401, "Invalid signature"),
            (delivery().without(EVENT_HEADER), 400, "Missing or invalid X-Pierre-Event header"),
            (large(), 200, ""),
        ];
        let client = Arc::new(client);
        let mut answers = JoinSet::new();
        for stream in 0..STREAMS {
            // Only a few are large.
            let kind = if stream % 40 == 0 { 3 } else { stream % 3 };
            let (client, (request, status, detail)) = (Arc::clone(&client), kinds[kind].clone());
            answers.spawn(async move {
                let response = client.exchange(&request).await.expect("an answer");
                assert_eq!(text(&response), (status, detail.to_owned()));
                usize::from(status == 200)
            });
        }
        let accepted: usize = within(answers.join_all()).await.into_iter().sum();
        assert!(accepted > STREAMS / 3, "{accepted}");
        assert_eq!(handled.count(), accepted, "{}", server.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_reset_in_its_body_is_not_handled() {
    const STREAMS: usize = 200;
    for watched in watched(&verifier()) {
        let Watched { server, handled, .. } = &watched;
        let client = open(server.address).await;
        within(async {
            // In turns: a server may close the connection of a client that resets more streams than it lets complete.
            for stream in 0..STREAMS {
                let mut stream_of = unended(&client).await;
                assert_serves(&client, server.name).await;
                let reason = if stream % 2 == 0 { Reason::CANCEL } else { Reason::INTERNAL_ERROR };
                stream_of.body.send_reset(reason);
            }
            assert_serves(&client, server.name).await;
        })
        .await;
        watched.assert_ended(2 * STREAMS + 1);
        assert_eq!(handled.count(), STREAMS + 1, "{}", server.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_streams_of_a_closed_connection_are_not_handled() {
    const STREAMS: usize = 50;
    for watched in watched(&verifier()) {
        let Watched { server, handled, .. } = &watched;
        let client = open(server.address).await;
        within(async {
            let mut streams = Vec::new();
            for _ in 0..STREAMS {
                streams.push(unended(&client).await);
            }
            assert_serves(&client, server.name).await;
            client.abort().await;
        })
        .await;
        watched.assert_ended(STREAMS + 1);
        assert_eq!(handled.count(), 1, "{}", server.name);
        assert_serves(&open(server.address).await, server.name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn immediately_reset_streams_harm_no_other_connection() {
    for Watched { server, handled, .. } in watched(&verifier()) {
        let other = open(server.address).await;
        let client = open(server.address).await;
        within(async {
            // Until the server closes the connection, or for 2000 streams.
            for _ in 0..2000 {
                let Ok(mut stream) = client.start(&delivery()).await else { break };
                stream.body.send_reset(Reason::CANCEL);
                tokio::task::yield_now().await;
            }
            assert_serves(&other, server.name).await;
            assert_serves(&open(server.address).await, server.name).await;
        })
        .await;
        assert_eq!(handled.count(), 2, "{}", server.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_data_frames_and_trailers_are_not_part_of_the_body() {
    for Watched { server, handled, .. } in watched(&verifier()) {
        let client = open(server.address).await;
        within(async {
            for has_trailers in [false, true] {
                let mut stream = client.start(&delivery()).await.expect("a stream");
                for byte in BODY.as_bytes().chunks(1) {
                    for _ in 0..2 {
                        stream.body.send_data(Bytes::new(), false).expect("an open stream");
                    }
                    stream.body.send_data(Bytes::from_static(byte), false).expect("an open stream");
                }
                if has_trailers {
                    let mut trailers = http::HeaderMap::new();
                    trailers.insert(EVENT_HEADER, "push".parse().expect("a value"));
                    stream.body.send_trailers(trailers).expect("an open stream");
                } else {
                    stream.body.send_data(Bytes::new(), true).expect("an open stream");
                }
                let response = stream.receive().await.expect("an answer");
                assert_eq!(response.status, 200, "{}", server.name);
                assert_eq!(response.json()["event"], "ping", "{}", server.name);
            }
        })
        .await;
        assert_eq!(handled.count(), 2, "{}", server.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_empty_data_frames_closes_the_connection_or_is_read_to_its_end() {
    for Watched { server, handled, .. } in watched(&verifier()) {
        let client = open(server.address).await;
        within(async {
            let mut stream = unended(&client).await;
            for _ in 0..10_000 {
                if stream.body.send_data(Bytes::new(), false).is_err() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            assert_serves(&open(server.address).await, server.name).await;
            assert_eq!(handled.count(), 1, "{}", server.name);
            let ended = stream.body.send_data(Bytes::new(), true);
            // The h2 of hyper allows a hundred per connection, the older one of actix any number.
            let status = match ended {
                Ok(()) => stream.receive().await.map(|response| response.status).ok(),
                Err(_) => None,
            };
            let expected = if server.name == "axum" { (None, 1) } else { (Some(200), 2) };
            assert_eq!((status, handled.count()), expected, "{}", server.name);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_whose_data_does_not_match_its_declared_length_is_not_handled() {
    for Watched { server, handled, .. } in watched(&verifier()) {
        let client = open(server.address).await;
        for length in ["14", "16", "0"] {
            let lying = delivery().header("content-length", length);
            // The stream is reset or rejected.
            if let Ok(response) = within(client.exchange(&lying)).await {
                assert_eq!(response.status, 400, "{} {length}: {response:?}", server.name);
            }
        }
        within(assert_serves(&client, server.name)).await;
        assert_eq!(handled.count(), 1, "{}", server.name);
    }
}
