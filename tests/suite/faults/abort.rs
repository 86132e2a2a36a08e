//! Senders that disconnect. What they did send has a valid signature of its own, so a server that takes the end of
//! a connection for the end of a body would run the handler.

use std::{
    convert::Infallible,
    sync::{Arc, mpsc::channel},
};

use actix_web::HttpRequest;
use http::request::Parts;
use pierre_webhook_tests::{
    client::{Connection, PATIENCE, exchange},
    sample::{delivery, verifier},
    server::{Handled, actix_with, axum_with, wrapped_with},
};
use tokio::sync::Semaphore;

use super::{Watched, watched};

/// The points in a request at which the sender disconnects: what it has sent, and whether that includes the whole
/// head.
fn phases() -> Vec<(&'static str, Vec<u8>, bool)> {
    let request = delivery();
    let promised = request.head("Content-Length: 16\r\n");
    let chunked = request.chunked(request.body.len());
    let head = request.head("Transfer-Encoding: chunked\r\n").len();
    let body = chunked.len() - head;
    let last = "0\r\n\r\n".len();
    vec![
        ("before the first byte", Vec::new(), false),
        ("in the request line", promised[..10].to_vec(), false),
        ("in a header", promised[..60].to_vec(), false),
        ("before the last line of the head", promised[..promised.len() - 2].to_vec(), false),
        ("after the head", promised.clone(), true),
        ("in the body", [&promised, &request.body[..5]].concat(), true),
        ("after everything that is signed", [&promised, &request.body[..]].concat(), true),
        ("before a chunk", chunked[..head].to_vec(), true),
        ("in a chunk's length", chunked[..head + 1].to_vec(), true),
        ("in a chunk", chunked[..head + body / 2].to_vec(), true),
        ("after a chunk", chunked[..chunked.len() - last].to_vec(), true),
        ("in the last chunk", chunked[..chunked.len() - last + 1].to_vec(), true),
        ("before the end of the last chunk", chunked[..chunked.len() - 2].to_vec(), true),
    ]
}

/// Checks that all requests ended without being handled, and that the next delivery is handled.
fn assert_nothing_remains(watched: &Watched, begun: usize) {
    let Watched { server, handled, .. } = watched;
    watched.assert_ended(begun);
    assert_eq!(handled.count(), 0, "{}", server.name);
    assert_eq!(exchange(server.address, &delivery().with_content_length()).status, 200);
    assert_eq!(handled.count(), 1, "{}", server.name);
}

#[test]
fn a_sender_that_closes_in_any_phase_is_not_handled() {
    for watched in watched(&verifier()) {
        let mut begun = 0;
        for (_, bytes, is_begun) in phases() {
            Connection::open(watched.server.address).send(&bytes);
            begun += usize::from(is_begun);
        }
        assert_nothing_remains(&watched, begun);
    }
}

#[test]
fn a_sender_that_resets_in_any_phase_is_not_handled() {
    for watched in watched(&verifier()) {
        // The server asks for the body, so it has read the head before the reset, which discards unread bytes.
        for (phase, bytes, is_begun) in phases() {
            let mut connection = Connection::open(watched.server.address);
            if !is_begun {
                connection.send(&bytes);
                connection.reset();
                continue;
            }
            let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a head");
            let (head, body) = bytes.split_at(end + 2);
            connection.send(head).send(b"Expect: 100-continue\r\n\r\n");
            assert_eq!(connection.receive().status, 100, "{} {phase}", watched.server.name);
            connection.send(&body[2..]);
            connection.reset();
        }
        assert_nothing_remains(&watched, phases().iter().filter(|(.., begun)| *begun).count());
    }
}

#[test]
fn a_sender_that_half_closes_in_any_phase_gets_a_rejection_and_is_not_handled() {
    for watched in watched(&verifier()) {
        let name = watched.server.name;
        let mut begun = 0;
        for (phase, bytes, is_begun) in phases() {
            let mut connection = Connection::open(watched.server.address);
            let response = connection.send(&bytes).end().receive_or_close();
            let detail = response.map(|response| (response.status, response.detail()));
            let expected = is_begun.then(|| (400, "Webhook body could not be read".to_owned()));
            assert_eq!(detail, expected, "{name} {phase}");
            assert_eq!(connection.receive_or_close(), None, "{name} {phase}: one answer");
            begun += usize::from(is_begun);
        }
        assert_nothing_remains(&watched, begun);
    }
}

#[test]
fn a_sender_that_half_closes_after_a_whole_request_is_handled_at_most_once() {
    for watched in watched(&verifier()) {
        let name = watched.server.name;
        for bytes in [delivery().with_content_length(), delivery().chunked(4)] {
            let before = watched.handled.count();
            let mut connection = Connection::open(watched.server.address);
            let response = connection.send(&bytes).end().receive_or_close();
            let status = response.map(|response| response.status);
            assert_eq!(connection.receive_or_close(), None, "{name}: one answer");
            let handled = watched.handled.count() - before;
            // `axum::serve` treats a half-closed sender as gone.
            match (name, status) {
                ("axum", None) => assert!(handled <= 1, "{name}: {handled}"),
                (_, status) => assert_eq!((status, handled), (Some(200), 1), "{name}"),
            }
        }
    }
}

#[test]
fn a_sender_that_does_not_wait_for_its_response_is_handled_at_most_once() {
    const SENDERS: usize = 100;
    let bytes = delivery().with_content_length();
    for watched in watched(&verifier()) {
        for sender in 0..SENDERS {
            let mut connection = Connection::open(watched.server.address);
            connection.send(&bytes);
            if sender % 2 == 0 {
                connection.reset();
            }
        }
        // A request that was reset before the server read it leaves no trace.
        assert_eq!(exchange(watched.server.address, &bytes).status, 200);
        let Watched { server, handled, .. } = watched;
        drop(server);
        assert!((1..=SENDERS + 1).contains(&handled.count()), "{}", handled.count());
    }
}

#[test]
fn a_sender_that_disconnects_during_the_look_up_is_not_handled() {
    let permits = Arc::new(Semaphore::new(0));
    let (begins, begun) = channel();
    let find = {
        let permits = Arc::clone(&permits);
        move || {
            begins.send(()).expect("a test that waits");
            let permits = Arc::clone(&permits);
            async move {
                permits.acquire().await.expect("never closed").forget();
                Ok::<_, Infallible>(Some(verifier()))
            }
        }
    };
    let (axum, actix, wrapped) = (find.clone(), find.clone(), find);
    let handled = Handled::default();
    let servers = [
        axum_with(move |_: &Parts| axum(), handled.clone()),
        actix_with(move |_: &HttpRequest| actix(), handled.clone()),
        wrapped_with(move |_: &HttpRequest| wrapped(), handled.clone()),
    ];
    let head = delivery().head("Content-Length: 16\r\n");
    for (count, server) in servers.iter().enumerate() {
        for is_reset in [true, false] {
            let mut connection = Connection::open(server.address);
            connection.send(&[&head[..], &delivery().body].concat());
            begun.recv_timeout(PATIENCE).expect("a lookup");
            if is_reset {
                connection.reset();
            } else {
                drop(connection);
            }
        }
        // Enough for those that have disconnected, and for the one that hasn't.
        permits.add_permits(3);
        let good = exchange(server.address, &delivery().with_content_length());
        assert_eq!((good.status, handled.count()), (200, count + 1), "{}", server.name);
    }
}
