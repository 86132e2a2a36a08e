//! A delivery and rejected requests, and what an adapter must log and count about them.

use pierre_webhook_core::{EVENT_HEADER, SIGNATURE_HEADER, Verifier};

use crate::{
    client::Request,
    sample::{BODY, NOW, SECRET, delivery, secret, tampered},
    secrecy::macs,
};

/// What [`requests`] must not leave in a log.
pub fn secrets() -> Vec<Vec<u8>> {
    let signed = [NOW, 0].map(|timestamp| secret().sign(timestamp, BODY.as_bytes()));
    let macs = signed.iter().flat_map(|signature| macs(signature));
    // A word that only the body contains, and one that only the error of the lookup contains.
    [SECRET, "thing", "hunter2"].map(Vec::from).into_iter().chain(macs).collect()
}

/// A lookup that fails. Requests with the path `/unavailable` must get it.
pub async fn unavailable() -> Result<Option<Verifier>, &'static str> {
    Err("the database password is hunter2")
}

/// Returns the delivery and the requests. A server must verify each path as its name says: `/webhooks`, `/unavailable`, and
/// `/acme` for the tenant `acme`.
pub fn requests() -> Vec<Request> {
    let unsigned = |request: Request| request.without(SIGNATURE_HEADER);
    vec![
        delivery(),
        tampered(),
        unsigned(delivery()),
        unsigned(delivery()).without(EVENT_HEADER).header(EVENT_HEADER, "a, b"),
        Request::delivery("push", &secret().sign(NOW, BODY.as_bytes()), BODY),
        Request::delivery("ping", &secret().sign(0, BODY.as_bytes()), BODY),
        delivery().path("/unavailable"),
        tampered().path("/acme"),
    ]
}

/// Returns a line for each rejected request, in their order.
pub fn expected_log(target: &str) -> Vec<String> {
    [
        "WARN TARGET status=401 code=\"invalid_signature\" reason=Invalid signature event_type=\"ping\"",
        "DEBUG TARGET status=400 code=\"missing_signature_header\" reason=Missing or invalid X-Pierre-Signature header event_type=\"ping\"",
        "DEBUG TARGET status=400 code=\"missing_signature_header\" reason=Missing or invalid X-Pierre-Signature header",
        "DEBUG TARGET status=422 code=\"invalid_payload\" reason=Invalid push payload event_type=\"push\"",
        "WARN TARGET status=401 code=\"timestamp_too_old\" reason=Webhook timestamp too old (1790000000 seconds) event_type=\"ping\"",
        "ERROR TARGET status=503 code=\"verifier_unavailable\" reason=Webhook verifier is not available event_type=\"ping\"",
        "WARN TARGET status=401 code=\"invalid_signature\" reason=Invalid signature tenant=\"acme\" event_type=\"ping\"",
    ]
    .map(|line| line.replace("TARGET", target))
    .to_vec()
}

/// Returns a line for each counter that the requests increment, in the form of
/// [`Counted::lines`](crate::counted::Counted::lines).
pub fn expected_counts() -> [&'static str; 6] {
    [
        "event_type=other,outcome=accepted,code=ok 1",
        "event_type=other,outcome=rejected,code=invalid_signature 2",
        "event_type=other,outcome=rejected,code=missing_signature_header 2",
        "event_type=other,outcome=rejected,code=timestamp_too_old 1",
        "event_type=other,outcome=rejected,code=verifier_unavailable 1",
        "event_type=push,outcome=rejected,code=invalid_payload 1",
    ]
}
