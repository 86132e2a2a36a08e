//! Bodies with unusual framing.

use std::time::Instant;

use pierre_webhook_core::{EVENT_HEADER, SIGNATURE_HEADER};
use pierre_webhook_tests::{
    client::{Connection, PATIENCE, Request, exchange},
    sample::{BODY, NOW, delivery, secret, tampered, verifier},
    server::all,
};

const LIMIT: usize = 1 << 16;

#[test]
fn endless_chunks_are_rejected_while_they_arrive() {
    let (servers, handled) = all(&verifier().body_limit(LIMIT));
    // The part that fits the limit has a valid signature of its own.
    let signature = secret().sign(NOW, &[b' '; LIMIT]);
    let head = Request::delivery("ping", &signature, "").head("Transfer-Encoding: chunked\r\n");
    for server in &servers {
        for size in [1, 1000, LIMIT + 1] {
            let chunk = [format!("{size:x}\r\n").as_bytes(), &vec![b' '; size], b"\r\n"].concat();
            let many = chunk.repeat((LIMIT / 4).div_ceil(size));
            let mut connection = Connection::open(server.address);
            let start = Instant::now();
            connection.send(&head);
            while connection.try_send(&many).is_ok() {
                assert!(start.elapsed() < PATIENCE, "{} reads forever", server.name);
            }
            let response = connection.receive();
            assert_eq!(
                (response.status, &*response.detail()),
                (413, "Webhook body larger than 65536 bytes"),
                "{} {size}",
                server.name
            );
        }
    }
    assert_eq!(handled.count(), 0);
}

#[test]
fn chunk_extensions_and_trailers_are_not_part_of_the_body() {
    let (servers, handled) = all(&verifier());
    let trailers = format!("X-Checksum: 1\r\n{EVENT_HEADER}: push\r\n{SIGNATURE_HEADER}: t=1\r\n");
    let body = [
        &format!("5;a\r\n{}\r\n", &BODY[..5]),
        &format!("00a ; name=\"value; of, signs\"\r\n{}\r\n", &BODY[5..]),
        &format!("0;last=1\r\n{trailers}\r\n"),
    ];
    let bytes = |request: &Request| {
        let head = request.head("Transfer-Encoding: chunked\r\nTrailer: X-Checksum\r\n");
        [&head[..], body.map(|part| part.as_bytes()).concat().as_slice()].concat()
    };
    for server in &servers {
        let mut connection = Connection::open(server.address);
        for _ in 0..2 {
            let response = connection.send(&bytes(&delivery())).receive();
            assert_eq!(response.status, 200, "{}", server.name);
            assert_eq!(response.json()["event"], "ping", "{}", server.name);
        }
        for header in [SIGNATURE_HEADER, EVENT_HEADER] {
            let response = exchange(server.address, &bytes(&delivery().without(header)));
            assert_eq!(
                response.status, 400,
                "{}: a trailer does not count as {header}",
                server.name
            );
        }
    }
    assert_eq!(handled.count(), 6);
}

#[test]
fn a_body_that_is_longer_than_declared_is_cut_at_the_declared_length() {
    let (servers, handled) = all(&verifier());
    for server in &servers {
        for (signed, status) in [("{}", 200), ("{}{}", 401)] {
            let signature = secret().sign(NOW, signed.as_bytes());
            let head = Request::delivery("ping", &signature, "").head("Content-Length: 2\r\n");
            let mut connection = Connection::open(server.address);
            connection.send(&[&head[..], b"{}{}"].concat());
            assert_eq!(connection.receive().status, status, "{} {signed}", server.name);
            // The rest isn't a request.
            let rest = connection.send(b"\r\n\r\n").receive_or_close();
            let rest = rest.map(|response| (response.status, response.body));
            assert_eq!(rest, Some((400, Vec::new())), "{} {signed}", server.name);
            assert_eq!(connection.receive_or_close(), None, "{} {signed}", server.name);
        }
    }
    assert_eq!(handled.count(), 3);
}

#[test]
fn a_body_that_is_shorter_than_declared_includes_the_next_request() {
    let (servers, handled) = all(&verifier());
    for server in &servers {
        let next = delivery().with_content_length();
        let head = delivery().head(&format!("Content-Length: {}\r\n", BODY.len() + next.len()));
        let mut connection = Connection::open(server.address);
        connection.send(&[&head[..], BODY.as_bytes(), &next].concat());
        let response = connection.receive();
        assert_eq!((response.status, &*response.detail()), (401, "Invalid signature"));
        assert_eq!(handled.count(), 0, "{}", server.name);
        assert_eq!(connection.end().receive_or_close(), None, "{}: one request", server.name);
    }
    assert_eq!(handled.count(), 0);
}

#[test]
fn a_sender_that_expects_100_continue_is_answered() {
    let (servers, handled) = all(&verifier());
    for server in &servers {
        let expecting = |request: Request| request.header("Expect", "100-continue");
        let rejected = expecting(delivery()).without(EVENT_HEADER);
        let mut connection = Connection::open(server.address);
        connection.send(&rejected.head("Content-Length: 15\r\n"));
        // Actix asks for the body before it runs any code of the app.
        if server.name.starts_with("actix") {
            assert_eq!(connection.receive().status, 100, "{}", server.name);
        }
        assert_eq!(connection.receive().status, 400, "{}", server.name);

        for (request, status) in [(delivery(), 200), (tampered(), 401)] {
            let head = format!("Content-Length: {}\r\n", request.body.len());
            let head = expecting(request.clone()).head(&head);
            let mut connection = Connection::open(server.address);
            assert_eq!(connection.send(&head).receive().status, 100, "{}", server.name);
            assert_eq!(connection.send(&request.body).receive().status, status, "{}", server.name);
        }
    }
    assert_eq!(handled.count(), 3);
}

#[test]
fn requests_pipelined_after_rejected_ones_are_answered_in_order_or_not_handled() {
    let (servers, handled) = all(&verifier());
    let mut answered = 0;
    for server in &servers {
        // Rejected once it is complete: the connection stays open.
        let mut connection = Connection::open(server.address);
        let pair = [tampered().with_content_length(), delivery().chunked(4)].concat();
        connection.send(&pair.repeat(50));
        for _ in 0..50 {
            assert_eq!(
                [(); 2].map(|()| connection.receive().status),
                [401, 200],
                "{}",
                server.name
            );
        }
        answered += 50;
        // Rejected by its head, when the body has been sent already. The server skips it or closes the connection.
        let mut connection = Connection::open(server.address);
        let headless = delivery().without(EVENT_HEADER);
        connection
            .send(&[headless.chunked(4), delivery().with_content_length()].concat().repeat(50));
        connection.end();
        let mut statuses = Vec::new();
        while let Some(response) = connection.receive_or_close() {
            statuses.push(response.status);
        }
        let expected: Vec<_> = [400, 200].into_iter().cycle().take(statuses.len()).collect();
        assert_eq!(statuses, expected, "{}", server.name);
        assert!(!statuses.is_empty());
        answered += statuses.len() / 2;
    }
    assert_eq!(handled.count(), answered);
}
