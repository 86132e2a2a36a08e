//! The flow-control windows of HTTP/2, which hold data back until the other side reads.

use h2::client::Builder;
use pierre_webhook_core::EVENT_HEADER;
use pierre_webhook_tests::{
    client::{Request, exchange},
    http2::{Http2, Stream},
    sample::{BODY, NOW, delivery, secret, verifier},
};

use super::{
    Watched,
    http2::{assert_serves, large, open, text, within},
    watched,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_bad_headers_is_answered_while_its_body_is_held_back() {
    for Watched { server, handled, .. } in watched(&verifier()) {
        let client = open(server.address).await;
        let too_large = delivery().header("content-length", "1048577");
        for (request, status) in [(delivery().without(EVENT_HEADER), 400), (too_large, 413)] {
            let stream = within(client.start(&request)).await.expect("a stream");
            let Stream { body, response } = stream;
            let response = within(response).await.expect("an answer");
            assert_eq!(response.status(), status, "{}", server.name);
            drop(body);
        }
        within(assert_serves(&client, server.name)).await;
        assert_eq!(handled.count(), 1, "{}", server.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_rejected_unread_give_their_window_back() {
    let good = large();
    let rejected = good.clone().without(EVENT_HEADER);
    for Watched { server, handled, .. } in watched(&verifier()) {
        let client = open(server.address).await;
        within(async {
            // Many times the size of a connection's window.
            for _ in 0..50 {
                let mut stream = client.start(&rejected).await.expect("a stream");
                // It fails if the server has already responded and reset the stream.
                let _ = stream.body.send_data(rejected.body.clone().into(), true);
                let response = stream.receive().await.expect("an answer");
                assert_eq!(response.status, 400, "{}", server.name);
            }
            let response = client.exchange(&good).await.expect("an answer");
            assert_eq!(response.status, 200, "{}", server.name);
        })
        .await;
        assert_eq!(handled.count(), 1, "{}", server.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn data_over_the_limit_is_rejected_while_it_arrives() {
    for Watched { server, handled, .. } in watched(&verifier().body_limit(1 << 16)) {
        let client = open(server.address).await;
        let body = vec![b' '; 1 << 22];
        let signature = secret().sign(NOW, &body[..1 << 16]);
        let response = within(client.exchange(&Request::delivery("ping", &signature, body))).await;
        let expected = (413, "Webhook body larger than 65536 bytes".to_owned());
        assert_eq!(text(&response.expect("an answer")), expected, "{}", server.name);
        within(assert_serves(&client, server.name)).await;
        assert_eq!(handled.count(), 1, "{}", server.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_its_window_holds_back_does_not_stall_others() {
    const STREAMS: usize = 50;
    for Watched { server, handled, .. } in watched(&verifier()) {
        // The server can't send any byte of a response body on this connection.
        let mut settings = Builder::new();
        let client = within(Http2::open_as(server.address, settings.initial_window_size(0))).await;
        let mut heads = Vec::new();
        for _ in 0..STREAMS {
            let mut stream = within(client.start(&delivery())).await.expect("a stream");
            stream.body.send_data(BODY.into(), true).expect("an open stream");
            heads.push(within(stream.response).await.expect("a head"));
        }
        assert!(heads.iter().all(|head| head.status() == 200), "{}", server.name);
        within(assert_serves(&open(server.address).await, server.name)).await;
        assert_eq!(exchange(server.address, &delivery().with_content_length()).status, 200);
        assert_eq!(handled.count(), STREAMS + 2, "{}", server.name);
        client.abort().await;
    }
}
