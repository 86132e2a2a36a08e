//! The requests, made once, and the response that each must get.

use pierre_webhook_core::{EVENT_HEADER, SIGNATURE_HEADER};
use pierre_webhook_tests::{
    client::Request,
    sample::{BODY, NOW, delivery, secret, tampered},
    table,
    vectors::Vector,
};

use crate::streams::KINDS;

/// Bytes to send, and the response that they must get.
pub(crate) struct Exchange {
    pub(crate) bytes: Vec<u8>,
    pub(crate) status: u16,
    /// What the response's body must contain.
    pub(crate) text: &'static str,
}

impl Exchange {
    fn new(bytes: Vec<u8>, status: u16, text: &'static str) -> Self {
        Self { bytes, status, text }
    }
}

pub(crate) struct Traffic {
    /// Whole requests, after which the connection stays open.
    pub(crate) whole: Vec<Exchange>,
    /// Requests that are rejected by how they begin. The connection may be closed after the response.
    pub(crate) rejected: Vec<Exchange>,
    /// A rejected request with an endless body, which a server must not keep reading.
    pub(crate) endless: Exchange,
    pub(crate) chunk: Vec<u8>,
    /// Requests with everything that is signed, but without the end that their head promises.
    pub(crate) unended: [Vec<u8>; 2],
    /// The delivery table.
    pub(crate) vectors: Vec<(Vector, [Vec<u8>; 2])>,
    /// Requests for HTTP/2, with their statuses.
    pub(crate) streams: [(Request, u16); KINDS - 1],
}

impl Traffic {
    pub(crate) fn new() -> Self {
        let large = signed(format!("{BODY}{}", " ".repeat((1 << 20) - BODY.len())));
        let stale = with_signature(&secret().sign(NOW - 301, BODY.as_bytes()));
        let elsewhere = Request::new("").path("/elsewhere");
        let chunk = [b"10000\r\n", &[b' '; 1 << 16][..], b"\r\n"].concat();
        let unended = delivery().chunked(4);
        Self {
            whole: vec![
                Exchange::new(delivery().with_content_length(), 200, "ping"),
                Exchange::new(delivery().chunked(1), 200, "ping"),
                Exchange::new(delivery().chunked(7), 200, "ping"),
                Exchange::new(tampered().with_content_length(), 401, "Invalid signature"),
                Exchange::new(tampered().chunked(1), 401, "Invalid signature"),
                Exchange::new(elsewhere.with_content_length(), 418, ""),
                Exchange::new(large.chunked(1 << 14), 200, "ping"),
                Exchange::new(large.with_content_length(), 200, "ping"),
            ],
            rejected: vec![
                rejected(delivery().without(EVENT_HEADER), 400, EVENT),
                rejected(delivery().without(SIGNATURE_HEADER), 400, "X-Pierre-Signature header"),
                rejected(with_signature("sha256=00"), 400, "signature header format"),
                rejected(with_signature("t=1e9,sha256=00"), 400, "Invalid timestamp"),
                rejected(stale, 401, "too old (301 seconds)"),
                Exchange::new(
                    delivery().head("Content-Length: 4398046511104\r\n"),
                    413,
                    "Webhook body larger than 1048576 bytes",
                ),
                broken(b"GARBAGE\r\n\r\n".to_vec()),
                broken(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec()),
                broken(delivery().head("Content-Length: -1\r\n")),
                broken(delivery().head("Content-Length: 1\r\nContent-Length: 2\r\n")),
                broken(delivery().head("Transfer-Encoding : chunked\r\n")),
                broken([&delivery().head(CHUNKED), &b"0x5\r\n"[..]].concat()),
                broken([&delivery().head(CHUNKED), &b"fffffffffffffffff\r\n"[..]].concat()),
            ],
            endless: Exchange::new(
                signed(" ".repeat(1 << 20)).head(CHUNKED),
                413,
                "Webhook body larger than 1048576 bytes",
            ),
            chunk,
            unended: [
                [delivery().head("Content-Length: 16\r\n"), BODY.into()].concat(),
                unended[..unended.len() - 5].to_vec(),
            ],
            vectors: table::vectors()
                .into_iter()
                .map(|vector| {
                    let request = table::request(&vector);
                    (vector, [request.with_content_length(), request.chunked(1 << 14)])
                })
                .collect(),
            streams: [
                (delivery(), 200),
                (tampered(), 401),
                (delivery().without(EVENT_HEADER), 400),
                (large, 200),
            ],
        }
    }
}

const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";
const EVENT: &str = "X-Pierre-Event header";

fn signed(body: String) -> Request {
    Request::delivery("ping", &secret().sign(NOW, body.as_bytes()), body)
}

fn with_signature(value: &str) -> Request {
    delivery().without(SIGNATURE_HEADER).header(SIGNATURE_HEADER, value)
}

/// A head that is rejected before its body, followed by some of the body.
fn rejected(request: Request, status: u16, text: &'static str) -> Exchange {
    Exchange::new([request.head("Content-Length: 100000\r\n"), BODY.into()].concat(), status, text)
}

/// Bytes that aren't valid HTTP.
fn broken(bytes: Vec<u8>) -> Exchange {
    Exchange::new(bytes, 400, "")
}
