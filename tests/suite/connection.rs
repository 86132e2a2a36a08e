//! Connections that carry more or less than whole requests: only a head, a body that ends early or never, and
//! bytes after a rejected request.

use pierre_webhook_core::{EVENT_HEADER, SIGNATURE_HEADER};
use pierre_webhook_tests::{
    client::{Connection, Request, exchange},
    sample::{BODY, NOW, delivery, secret, tampered, verifier},
    server::all,
};

#[test]
fn a_request_with_bad_headers_is_answered_before_the_body_is_sent() {
    let signed = |timestamp| {
        delivery()
            .without(SIGNATURE_HEADER)
            .header(SIGNATURE_HEADER, secret().sign(timestamp, BODY.as_bytes()))
    };
    let signature =
        |value: &str| delivery().without(SIGNATURE_HEADER).header(SIGNATURE_HEADER, value);
    let cases = [
        (delivery().without(SIGNATURE_HEADER), 400, "Missing or invalid X-Pierre-Signature header"),
        (delivery().without(EVENT_HEADER), 400, "Missing or invalid X-Pierre-Event header"),
        (signature("sha256=00"), 400, "Invalid signature header format"),
        (signature("t=1e9,sha256=00"), 400, "Invalid timestamp in signature"),
        (signed(NOW - 301), 401, "Webhook timestamp too old (301 seconds)"),
        (signed(NOW + 61), 401, "Webhook timestamp is in the future"),
        (signature(&format!("t={NOW},sha256=zz")), 401, "Invalid signature"),
    ];
    let (servers, handled) = all(&verifier());
    for server in &servers {
        for (request, status, text) in &cases {
            for framing in ["Content-Length: 1000000\r\n", "Transfer-Encoding: chunked\r\n"] {
                let response = exchange(server.address, &request.head(framing));
                assert_eq!(
                    (response.status, &*response.detail()),
                    (*status, *text),
                    "{} {framing}",
                    server.name
                );
            }
        }
    }
    assert_eq!(handled.count(), 0);
}

#[test]
fn a_declared_length_over_the_limit_is_answered_before_the_body_is_sent() {
    let (servers, handled) = all(&verifier());
    for server in &servers {
        for length in ["1048577", "5000000000", "4398046511104", "9223372036854775807"] {
            let head = delivery().head(&format!("Content-Length: {length}\r\n"));
            let mut connection = Connection::open(server.address);
            let response = connection.send(&head).receive();
            assert_eq!(
                (response.status, &*response.detail()),
                (413, "Webhook body larger than 1048576 bytes"),
                "{} {length}",
                server.name
            );
        }
    }
    assert_eq!(handled.count(), 0);
}

#[test]
fn a_rejected_body_is_not_read_forever() {
    let (servers, handled) = all(&verifier());
    for server in &servers {
        let mut connection = Connection::open(server.address);
        let head = delivery().without(EVENT_HEADER).head("Transfer-Encoding: chunked\r\n");
        assert_eq!(connection.send(&head).receive().status, 400);
        connection.assert_is_closed_by(server);
    }
    assert_eq!(handled.count(), 0);
}

#[test]
fn a_body_that_ends_early_is_rejected_and_not_handled() {
    let (servers, handled) = all(&verifier());
    for server in &servers {
        let request = delivery();
        let head = request.head(&format!("Content-Length: {}\r\n", request.body.len()));
        let cut = [&head[..], &request.body[..5]].concat();
        let response = Connection::open(server.address).send(&cut).end().receive_or_close();
        let chunked = request.chunked(4);
        let cut = &chunked[..chunked.len() - 5];
        let chunked = Connection::open(server.address).send(cut).end().receive_or_close();
        // A server may close without a response, since the sender has ended the connection itself.
        for response in [response, chunked].into_iter().flatten() {
            assert_eq!(response.status, 400, "{}", server.name);
            assert_eq!(response.detail(), "Webhook body could not be read", "{}", server.name);
        }
    }
    assert_eq!(handled.count(), 0);
}

#[test]
fn a_body_that_trickles_in_is_accepted() {
    let (servers, handled) = all(&verifier());
    for server in &servers {
        for bytes in [delivery().with_content_length(), delivery().chunked(1)] {
            let mut connection = Connection::open(server.address);
            for byte in bytes {
                connection.send(&[byte]);
            }
            assert_eq!(connection.receive().status, 200, "{}", server.name);
        }
    }
    assert_eq!(handled.count(), 6);
}

#[test]
fn a_request_smuggled_in_a_rejected_body_is_never_answered() {
    let smuggled = Request::new("").path("/smuggled").with_content_length();
    let rejected = Request { body: smuggled, ..delivery() };
    let (servers, handled) = all(&verifier());
    for server in &servers {
        for (request, status) in
            [(rejected.clone(), 401), (rejected.clone().without(EVENT_HEADER), 400)]
        {
            for bytes in [request.with_content_length(), request.chunked(10)] {
                let mut connection = Connection::open(server.address);
                connection.send(&bytes).send(&delivery().with_content_length());
                assert_eq!(connection.receive().status, status, "{}", server.name);
                // The connection either serves the next request or is closed.
                if let Some(next) = connection.receive_or_close() {
                    assert_eq!(next.status, 200, "{}", server.name);
                }
                assert_eq!(connection.end().receive_or_close(), None, "{}", server.name);
            }
        }
    }
    assert!(handled.count() <= 12);
}

#[test]
fn rejecting_a_whole_request_keeps_the_connection() {
    let (servers, handled) = all(&verifier());
    for server in &servers {
        let mut connection = Connection::open(server.address);
        for request in [tampered(), delivery(), tampered(), delivery()] {
            let expected = if request.body == b"{}" { 401 } else { 200 };
            let response = connection.send(&request.with_content_length()).receive();
            assert_eq!(response.status, expected, "{}", server.name);
        }
    }
    assert_eq!(handled.count(), 6);
}

#[test]
fn pipelined_deliveries_are_answered_in_order() {
    let (servers, handled) = all(&verifier());
    for server in &servers {
        let mut connection = Connection::open(server.address);
        let requests = [delivery(), tampered(), delivery()];
        let bytes: Vec<_> = requests.iter().flat_map(Request::with_content_length).collect();
        connection.send(&bytes);
        let statuses = [(); 3].map(|()| connection.receive().status);
        assert_eq!(statuses, [200, 401, 200], "{}", server.name);
    }
    assert_eq!(handled.count(), 6);
}

#[test]
fn a_request_with_two_framings_is_rejected_or_read_as_one() {
    let (servers, handled) = all(&verifier());
    for server in &servers {
        let framings = [
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Content-Length: 5\r\nContent-Length: 6\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: chunked, identity\r\n",
            "Content-Length: +15\r\n",
        ];
        for framing in framings {
            let bytes = [&delivery().head(framing)[..], b"0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n"];
            let mut connection = Connection::open(server.address);
            connection.send(&bytes.concat()).end();
            while let Some(response) = connection.receive_or_close() {
                assert_ne!(response.status, 200, "{} {framing}", server.name);
            }
        }
    }
    assert_eq!(handled.count(), 0);
}

#[test]
fn the_server_still_serves_after_aborted_and_stalled_bodies() {
    let (servers, handled) = all(&verifier());
    for server in &servers {
        let request = delivery();
        let bytes = request.with_content_length();
        for abort in 0..300 {
            let length = bytes.len() * abort / 300;
            Connection::open(server.address).send(&bytes[..length]);
        }
        let stalled: Vec<_> = (0..500)
            .map(|_| {
                let mut connection = Connection::open(server.address);
                connection.send(&bytes[..bytes.len() - 1]);
                connection
            })
            .collect();
        assert_eq!(exchange(server.address, &bytes).status, 200, "{}", server.name);
        drop(stalled);
        assert_eq!(exchange(server.address, &bytes).status, 200, "{}", server.name);
    }
    assert_eq!(handled.count(), 6);
}
