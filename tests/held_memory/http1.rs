//! What a connection of HTTP/1 holds.

use std::{
    io::{ErrorKind, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use pierre_webhook_core::EVENT_HEADER;
use pierre_webhook_tests::{
    client::{Connection, Request, exchange},
    sample::{BODY, delivery},
};

use crate::child::{Child, Framework};

/// The default limit of a body.
const LIMIT: usize = 1 << 20;

/// That many connections, on each of which these bytes were sent in pieces.
pub(crate) fn connections(
    address: SocketAddr,
    count: usize,
    bytes: &[u8],
    piece: usize,
) -> Vec<Connection> {
    let mut connections: Vec<_> = (0..count).map(|_| Connection::open(address)).collect();
    for connection in &mut connections {
        for piece in bytes.chunks(piece) {
            connection.try_send(piece).expect("a server that reads");
        }
    }
    connections
}

pub(crate) fn half_a_head() -> Vec<u8> {
    let head = head();
    head[..head.len() / 2].to_vec()
}

/// A head of this length, but for its end.
pub(crate) fn unfinished_head(length: usize) -> Vec<u8> {
    let mut head = half_a_head();
    head.resize(length, b'x');
    head
}

pub(crate) fn head() -> Vec<u8> {
    delivery().head("Content-Length: 15\r\n")
}

pub(crate) fn all_but_a_byte() -> Vec<u8> {
    let mut bytes = delivery().head(&format!("Content-Length: {LIMIT}\r\n"));
    bytes.resize(bytes.len() + LIMIT - 1, b' ');
    bytes
}

pub(crate) fn chunks_of_a_byte(count: usize) -> Vec<u8> {
    let mut bytes = Request { body: vec![b' '; count], ..delivery() }.chunked(1);
    // Not the last chunk, which has no bytes.
    bytes.truncate(bytes.len() - 5);
    bytes
}

/// That many connections, on each of which as much of a body was sent as the server takes.
pub(crate) fn unread(address: SocketAddr, count: usize) -> Vec<TcpStream> {
    let bytes = all_but_a_byte();
    let mut sockets = Vec::new();
    for _ in 0..count {
        let mut socket = TcpStream::connect(address).expect("a listening server");
        socket.set_write_timeout(Some(Duration::from_millis(50))).expect("a timeout");
        match socket.write_all(&bytes) {
            Err(error) if error.kind() != ErrorKind::WouldBlock => panic!("{error}"),
            _ => sockets.push(socket),
        }
    }
    sockets
}

/// Rejected requests whose senders go on for as long as the server takes it: how much memory grew at most, how many
/// bytes were taken, and the time until the last connection was closed.
pub(crate) fn rejected(child: &Child, count: usize) -> (usize, usize, Duration) {
    const PIECE: usize = 1 << 14;
    const LONG: Duration = Duration::from_secs(10);

    let before = child.settled();
    let head = delivery().without(EVENT_HEADER).head("Transfer-Encoding: chunked\r\n");
    let piece = [format!("{PIECE:x}\r\n").as_bytes(), &[b' '; PIECE], b"\r\n"].concat();
    let start = Instant::now();
    let senders: Vec<_> = (0..count)
        .map(|_| {
            let (head, piece, address) = (head.clone(), piece.clone(), child.address);
            thread::spawn(move || {
                let mut socket = TcpStream::connect(address).expect("a listening server");
                socket.set_write_timeout(Some(LONG)).expect("a timeout");
                socket.write_all(&head).expect("a server that reads");
                let mut sent = 0;
                while start.elapsed() < LONG && socket.write_all(&piece).is_ok() {
                    sent += piece.len();
                }
                (sent, start.elapsed())
            })
        })
        .collect();
    let mut most = 0;
    while senders.iter().any(|sender| !sender.is_finished()) {
        most = most.max(child.resident());
        thread::sleep(Duration::from_millis(5));
    }
    let ends: Vec<_> = senders.into_iter().map(|sender| sender.join().expect("a sender")).collect();
    let sent = ends.iter().map(|(sent, _)| sent).sum();
    let last = ends.iter().map(|(_, end)| *end).max().expect("a sender");
    assert!(last < LONG, "the server reads a rejected body for as long as it is sent");
    (most.saturating_sub(before), sent, last)
}

/// Sends small deliveries, each on a connection of its own or all on one.
pub(crate) fn deliver(address: SocketAddr, count: usize, has_own_connection: bool) {
    let bytes = delivery().with_content_length();
    if has_own_connection {
        for _ in 0..count {
            assert_eq!(exchange(address, &bytes).status, 200);
        }
    } else {
        let mut connection = Connection::open(address);
        for _ in 0..count {
            assert_eq!(connection.send(&bytes).receive().status, 200);
        }
    }
    assert_eq!(BODY.len(), 15);
}

/// The longest head that the server waits for the end of, and a little less.
pub(crate) fn longest_head(framework: Framework) -> usize {
    match framework {
        Framework::Axum => 400 << 10,
        Framework::Actix => 120 << 10,
    }
}
