//! The delivery table over sockets: through the layer in axum, and through the extractor and the middleware in actix.
//! Each body is sent whole, in chunks and, if it is small, byte by byte.

use pierre_webhook_tests::{
    client::{Response, exchange},
    server::{Handled, actix_with, axum_with, wrapped_with},
    table::{Verifiers, answer, request, vectors},
};

#[test]
fn every_delivery_of_the_table_gets_its_answer_through_every_adapter() {
    let vectors = vectors();
    let verifiers = Verifiers::of(&vectors);
    let handled = [(); 3].map(|()| Handled::default());
    let servers = [
        axum_with(verifiers.for_axum(), handled[0].clone()),
        actix_with(verifiers.for_actix(), handled[1].clone()),
        wrapped_with(verifiers.for_actix(), handled[2].clone()),
    ];
    let mut failures = Vec::new();
    let mut accepted = 0;
    for vector in &vectors {
        let request = request(vector);
        let in_chunks = if vector.body.len() < 1 << 12 { 1 } else { 1 << 14 };
        for bytes in [request.with_content_length(), request.chunked(in_chunks)] {
            let responses = servers.each_ref().map(|server| exchange(server.address, &bytes));
            for (server, response) in servers.iter().zip(&responses) {
                failures.extend(
                    vector
                        .judge(&answer(response))
                        .map(|wrong| format!("{}: {wrong}", server.name)),
                );
                if signs(response) != signs(&responses[0]) {
                    failures
                        .push(format!("{}: {response:?} is not {:?}", vector.name, responses[0]));
                }
            }
            accepted += usize::from(responses[0].status == 200);
        }
    }
    assert!(failures.is_empty(), "{} wrong answers:\n{}", failures.len(), failures.join("\n"));
    assert_eq!(handled.map(|handled| handled.count()), [accepted; 3]);
}

/// The parts of a response that must be equal in all of them: all but what a server itself adds.
fn signs(response: &Response) -> (u16, [Option<&str>; 3], &[u8]) {
    let headers = match response.status {
        200 => [None; 3],
        _ => ["content-type", "www-authenticate", "retry-after"].map(|name| response.header(name)),
    };
    (response.status, headers, &response.body)
}
