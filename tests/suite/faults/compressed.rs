//! Compressed bodies, verified before and after a layer that decompresses.

use std::io::Write;

use axum::Router;
use flate2::{Compression, write::GzEncoder};
use pierre_webhook_core::Verifier;
use pierre_webhook_tests::{
    client::{Request, exchange},
    sample::{BODY, NOW, delivery, secret, verifier},
    server::{Handled, Server, actix_with, axum_router, wrapped_with},
};
use tower_http::decompression::RequestDecompressionLayer;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("a vector");
    encoder.finish().expect("a vector")
}

/// A delivery with this compressed body and a signature of these bytes.
fn compressed(body: &[u8], signed: &[u8]) -> Request {
    Request::delivery("ping", &secret().sign(NOW, signed), gzip(body))
        .header("Content-Encoding", "gzip")
}

fn axum(verifier: Verifier, handled: &Handled, layered: impl FnOnce(Router) -> Router) -> Server {
    Server::axum(layered(axum_router(verifier, handled.clone())))
}

fn answer(server: &Server, request: &Request) -> (u16, String) {
    let response = exchange(server.address, &request.with_content_length());
    let detail = if response.status == 200 { String::new() } else { response.detail() };
    (response.status, detail)
}

#[test]
fn a_compressed_body_is_verified_as_received() {
    let handled = Handled::default();
    let servers = [
        axum(verifier(), &handled, |router| router),
        actix_with(verifier(), handled.clone()),
        wrapped_with(verifier(), handled.clone()),
    ];
    for server in &servers {
        // Genuine, but not JSON.
        let signed_as_sent = compressed(BODY.as_bytes(), &gzip(BODY.as_bytes()));
        assert_eq!(answer(server, &signed_as_sent), (400, "Invalid JSON payload".into()));
        let signed_before = compressed(BODY.as_bytes(), BODY.as_bytes());
        assert_eq!(answer(server, &signed_before), (401, "Invalid signature".into()));
        // The header by itself changes nothing.
        let plain = delivery().header("Content-Encoding", "gzip");
        assert_eq!(answer(server, &plain), (200, String::new()), "{}", server.name);
    }
    assert_eq!(handled.count(), 3);
}

#[test]
fn after_decompression_a_signature_of_the_compressed_bytes_is_rejected() {
    let handled = Handled::default();
    let server =
        axum(verifier(), &handled, |router| router.layer(RequestDecompressionLayer::new()));
    let signed_as_sent = compressed(BODY.as_bytes(), &gzip(BODY.as_bytes()));
    assert_eq!(answer(&server, &signed_as_sent), (401, "Invalid signature".into()));
    assert_eq!(handled.count(), 0);
    // If something on the way compressed the body, the layer restores what was signed.
    let signed_before = compressed(BODY.as_bytes(), BODY.as_bytes());
    assert_eq!(answer(&server, &signed_before), (200, String::new()));
    assert_eq!(answer(&server, &delivery()), (200, String::new()));
    assert_eq!(handled.count(), 2);
}

#[test]
fn after_decompression_the_limit_applies_to_the_decompressed_body() {
    let handled = Handled::default();
    let limited = verifier().body_limit(1 << 16);
    let server = axum(limited, &handled, |router| router.layer(RequestDecompressionLayer::new()));
    let bomb = vec![b' '; 1 << 25];
    let request = compressed(&bomb, &bomb);
    assert!(request.body.len() < 1 << 16, "the declared length is under the limit");
    let expected = (413, "Webhook body larger than 65536 bytes".to_owned());
    assert_eq!(answer(&server, &request), expected);
    assert_eq!(handled.count(), 0);
}

#[test]
fn after_decompression_a_broken_stream_is_unreadable() {
    let handled = Handled::default();
    let server =
        axum(verifier(), &handled, |router| router.layer(RequestDecompressionLayer::new()));
    let mut request = compressed(BODY.as_bytes(), BODY.as_bytes());
    let last = request.body.len() - 8;
    request.body[last] ^= 1;
    assert_eq!(answer(&server, &request), (400, "Webhook body could not be read".into()));
    request.body.truncate(last);
    assert_eq!(answer(&server, &request), (400, "Webhook body could not be read".into()));
    assert_eq!(handled.count(), 0);
}
