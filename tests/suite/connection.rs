//! What comes over a connection besides whole requests: heads alone, bodies that end early or never, and
//! bytes behind a refused request.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pierre_webhook_core::{EVENT_HEADER, SIGNATURE_HEADER, Secret, Verifier};
use pierre_webhook_tests::{
    client::{Connection, Request, exchange},
    server::both,
};

const NOW: u64 = 1_790_000_000;
const BODY: &str = r#"{"any":"thing"}"#;

fn secret() -> Secret {
    Secret::new("whsec_k3yForDocsOnly_2f6c").unwrap()
}

fn verifier() -> Verifier {
    let now: SystemTime = UNIX_EPOCH + Duration::from_secs(NOW);
    Verifier::new(secret()).clock(move || now)
}

fn delivery() -> Request {
    Request::delivery("ping", &secret().sign(NOW, BODY.as_bytes()), BODY)
}

#[test]
fn what_the_headers_decide_is_answered_before_the_body_is_sent() {
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
    let (servers, handled) = both(&verifier());
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
    let (servers, handled) = both(&verifier());
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
fn a_refused_body_is_not_read_for_ever() {
    let (servers, handled) = both(&verifier());
    for server in &servers {
        let mut connection = Connection::open(server.address);
        let head = delivery().without(EVENT_HEADER).head("Transfer-Encoding: chunked\r\n");
        assert_eq!(connection.send(&head).receive().status, 400);
        let chunk = [b"10000\r\n", &[b'x'; 0x10000][..], b"\r\n"].concat();
        // Actix reads on for a second (its client_disconnect_timeout), so that the answer arrives.
        let start = Instant::now();
        while connection.try_send(&chunk).is_ok() {
            assert!(start.elapsed() < Duration::from_secs(10), "{} reads for ever", server.name);
        }
    }
    assert_eq!(handled.count(), 0);
}
