//! The delivery table over sockets, through axum and actix, with `Content-Length` and chunked.

use pierre_webhook_tests::{
    client::{Response, exchange},
    server::{Handled, actix_with, axum_with},
    table::{Verifiers, answer, request, vectors},
};

#[test]
fn every_delivery_of_the_table_gets_its_answer_through_both_frameworks() {
    let vectors = vectors();
    let verifiers = Verifiers::of(&vectors);
    let handled = [Handled::default(), Handled::default()];
    let servers = [
        axum_with(verifiers.for_axum(), handled[0].clone()),
        actix_with(verifiers.for_actix(), handled[1].clone()),
    ];
    let mut failures = Vec::new();
    let mut accepted = 0;
    for vector in &vectors {
        let request = request(vector);
        for bytes in [request.with_content_length(), request.chunked(1 << 14)] {
            let [by_axum, by_actix] =
                [0, 1].map(|server: usize| exchange(servers[server].address, &bytes));
            for (server, response) in servers.iter().zip([&by_axum, &by_actix]) {
                failures.extend(
                    vector
                        .judge(&answer(response))
                        .map(|wrong| format!("{}: {wrong}", server.name)),
                );
            }
            if signs(&by_axum) != signs(&by_actix) {
                failures.push(format!("{}: {by_axum:?} is not {by_actix:?}", vector.name));
            }
            accepted += usize::from(by_axum.status == 200);
        }
    }
    assert!(failures.is_empty(), "{} wrong answers:\n{}", failures.len(), failures.join("\n"));
    assert_eq!(handled.map(|handled| handled.count()), [accepted; 2]);
}

/// The parts of a response that must be equal in both frameworks: all but what a server itself adds.
fn signs(response: &Response) -> (u16, [Option<&str>; 3], &[u8]) {
    let headers = match response.status {
        200 => [None; 3],
        _ => ["content-type", "www-authenticate", "retry-after"].map(|name| response.header(name)),
    };
    (response.status, headers, &response.body)
}
