//! The windows of HTTP/2, which hold back what the other side does not take.

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
async fn what_the_headers_decide_is_answered_while_the_body_is_held_back() {
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
async fn bodies_that_are_refused_unread_give_their_window_back() {
    let good = large();
    let refused = good.clone().without(EVENT_HEADER);
    for Watched { server, handled, .. } in watched(&verifier()) {
        let client = open(server.address).await;
        within(async {
            // Many times what a connection's window holds.
            for _ in 0..50 {
                let mut stream = client.start(&refused).await.expect("a stream");
                // It fails where the server has answered and reset the stream meanwhile.
                let _ = stream.body.send_data(refused.body.clone().into(), true);
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
async fn data_over_the_limit_is_refused_while_it_comes() {
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
async fn an_answer_that_its_window_holds_back_stalls_no_other() {
    const STREAMS: usize = 50;
    for Watched { server, handled, .. } in watched(&verifier()) {
        // No byte of any answer's body may be sent on this connection.
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
