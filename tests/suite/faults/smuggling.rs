//! Requests that two readers could take for different ones. Behind each stands a second request, which is
//! not to be answered where a reader before this one may have taken it for a part of the body.

use pierre_webhook_tests::{
    client::{Connection, Request},
    sample::{BODY, delivery, verifier},
    server::both,
};

/// What the path of the second request is answered with.
const SMUGGLED: u16 = 418;

fn second() -> String {
    let request = Request::new("").path("/smuggled").with_content_length();
    String::from_utf8(request).expect("text")
}

/// The answers to the good delivery under these header lines, with these bytes behind its head.
fn statuses(connection: &mut Connection, framing: &str, behind: &str) -> Vec<u16> {
    connection.send(&[&delivery().head(framing), behind.as_bytes()].concat()).end();
    std::iter::from_fn(|| connection.receive_or_close()).map(|response| response.status).collect()
}

#[test]
fn a_framing_of_two_readings_is_refused_or_closes_the_connection() {
    let length = BODY.len();
    let beyond = length + second().len();
    let chunked = format!("{length:x}\r\n{BODY}\r\n0\r\n\r\n");
    let both_of = |length| format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n");
    // The first answer of axum and of actix; hyper goes by RFC 9112, 6.1 where that lets a server choose.
    let cases = [
        (both_of(beyond), "0\r\n\r\n", [401, 400]),
        (both_of(chunked.len()), &chunked, [200, 400]),
        (both_of(length), BODY, [400, 400]),
        (format!("Content-Length: {length}\r\nContent-Length: {beyond}\r\n"), BODY, [400, 400]),
        (format!("Content-Length: {length}, {length}\r\n"), BODY, [400, 400]),
        (format!("Content-Length: -{length}\r\n"), BODY, [400, 400]),
        (format!("Content-Length: 0x{length:x}\r\n"), BODY, [400, 400]),
        (format!("Content-Length: \r\nX-A: {length}\r\n"), BODY, [400, 400]),
        (format!("Content-Length : {length}\r\n"), BODY, [400, 400]),
        (format!("Content-Length: {}\r\n", (1_u128 << 64) + length as u128), BODY, [400, 400]),
        (format!("X-A: b\rContent-Length: {length}\r\n"), BODY, [400, 400]),
        (format!("X-A: \0\r\nContent-Length: {length}\r\n"), BODY, [400, 400]),
        ("Transfer-Encoding : chunked\r\n".to_owned(), &chunked, [400, 400]),
        ("Transfer-Encoding: \x0bchunked\r\n".to_owned(), &chunked, [400, 400]),
        ("Transfer-Encoding: \"chunked\"\r\n".to_owned(), &chunked, [400, 400]),
        ("Transfer-Encoding: xchunked\r\n".to_owned(), &chunked, [400, 400]),
        ("Transfer-Encoding:\r\n".to_owned(), &chunked, [400, 400]),
        ("X-A: b\r\n Transfer-Encoding: chunked\r\n".to_owned(), &chunked, [400, 400]),
    ];
    let (servers, handled) = both(&verifier());
    let mut accepted = 0;
    for (framing, body, expected) in &cases {
        for (server, expected) in servers.iter().zip(expected) {
            let mut connection = Connection::open(server.address);
            let got = statuses(&mut connection, framing, &format!("{body}{}", second()));
            assert_eq!(got.first(), Some(expected), "{} {framing:?}: {got:?}", server.name);
            assert!(!got.contains(&SMUGGLED), "{} {framing:?}: {got:?}", server.name);
            accepted += usize::from(*expected == 200);
        }
    }
    assert_eq!(handled.count(), accepted);
}

#[test]
fn a_request_without_a_framing_has_no_body() {
    let (servers, handled) = both(&verifier());
    for server in &servers {
        let mut connection = Connection::open(server.address);
        let got = statuses(&mut connection, "", &format!("{BODY}{}", second()));
        assert_eq!(got.first(), Some(&401), "{}: {got:?}", server.name);
        assert!(!got.contains(&SMUGGLED), "{}: {got:?}", server.name);
    }
    assert_eq!(handled.count(), 0);
}

#[test]
fn chunks_that_two_readers_could_cut_differently_are_unreadable() {
    let length = BODY.len();
    let end = "\r\n0\r\n\r\n";
    let cases = [
        format!("0x{length:x}\r\n{BODY}{end}"),
        format!("+{length:x}\r\n{BODY}{end}"),
        format!("-{length:x}\r\n{BODY}{end}"),
        format!(" {length:x}\r\n{BODY}{end}"),
        format!("\r\n{length:x}\r\n{BODY}{end}"),
        format!("1000000000000000{length:x}\r\n{BODY}{end}"),
        format!("ffffffffffffffff\r\n{BODY}{end}"),
        format!("{length:x}\n{BODY}\n0\n\n"),
        format!("{length:x};a\n{BODY}{end}"),
        format!("{length:x};a\rb\r\n{BODY}{end}"),
        format!("{length:x}\r\n{BODY}0\r\n\r\n"),
        format!("1\r\n{BODY}{end}"),
    ];
    let (servers, handled) = both(&verifier());
    for server in &servers {
        for chunks in &cases {
            let head = delivery().head("Transfer-Encoding: chunked\r\n");
            let mut connection = Connection::open(server.address);
            connection.send(&[&head, chunks.as_bytes(), second().as_bytes()].concat()).end();
            let response = connection.receive();
            assert_eq!(
                (response.status, &*response.detail()),
                (400, "Webhook body could not be read"),
                "{} {chunks:?}",
                server.name
            );
            assert_eq!(connection.receive_or_close(), None, "{} {chunks:?}", server.name);
        }
    }
    assert_eq!(handled.count(), 0);
}
