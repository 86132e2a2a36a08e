//! Rejected requests.

use pierre_webhook_tests::{
    client::{Request, exchange},
    sample::{delivery, tampered, verifier},
    server::all,
};

#[test]
fn no_handler_runs_for_a_rejected_request() {
    let (servers, handled) = all(&verifier());
    for server in &servers {
        for request in [tampered(), delivery().without("x-pierre-event"), Request::new("")] {
            let response = exchange(server.address, &request.with_content_length());
            assert!([400, 401].contains(&response.status), "{}: {response:?}", server.name);
        }
        assert_eq!(exchange(server.address, &delivery().with_content_length()).status, 200);
    }
    assert_eq!(handled.count(), 3);
}
