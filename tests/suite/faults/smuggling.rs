//! Requests that two readers could interpret differently. Each is followed by a second request, which must not be
//! answered if another reader, such as a proxy, may have taken it for part of the body.

use pierre_webhook_tests::{
    client::{Connection, Request},
    sample::{BODY, delivery, verifier},
    server::all,
};

/// The status that the path of the second request responds with.
const SMUGGLED: u16 = 418;

fn second() -> String {
    let request = Request::new("").path("/smuggled").with_content_length();
    String::from_utf8(request).expect("text")
}

/// Sends a valid delivery with these header lines, and these bytes after its head. Returns the statuses of all
/// responses.
fn statuses(connection: &mut Connection, framing: &str, after: &str) -> Vec<u16> {
    connection.send(&[&delivery().head(framing), after.as_bytes()].concat()).end();
    std::iter::from_fn(|| connection.receive_or_close()).map(|response| response.status).collect()
}

#[test]
fn ambiguous_framing_is_rejected_or_closes_the_connection() {
    let length = BODY.len();
    let beyond = length + second().len();
    let chunked = format!("{length:x}\r\n{BODY}\r\n0\r\n\r\n");
    let both_of = |length| format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n");
    // The first status from axum and from actix. Hyper follows RFC 9112, section 6.1, where that lets a server
    // choose.
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
    let (servers, handled) = all(&verifier());
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
    let (servers, handled) = all(&verifier());
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
    let (servers, handled) = all(&verifier());
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
