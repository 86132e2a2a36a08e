//! The senders: a thread for each repository.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use pierre_webhook_core::{DeliveryId, Secret, TestDelivery};

use crate::receiver::SECRET;

const REPOSITORIES: usize = 20;
const PATIENCE: Duration = Duration::from_secs(3);
const BEFORE_THE_NEXT_TRY: Duration = Duration::from_millis(20);

pub(crate) struct Senders {
    threads: Vec<JoinHandle<Vec<DeliveryId>>>,
    requests: Arc<AtomicU64>,
}

pub(crate) struct Sent {
    pub(crate) acknowledged: Vec<DeliveryId>,
    pub(crate) requests: u64,
}

impl Senders {
    pub(crate) fn start(deliveries: usize, ports: [u16; 2]) -> Self {
        let requests = Arc::new(AtomicU64::new(0));
        let threads = (0..REPOSITORIES).map(|repository| {
            let requests = Arc::clone(&requests);
            let numbers: Vec<_> = (repository..deliveries).step_by(REPOSITORIES).collect();
            thread::spawn(move || send_all(repository, &numbers, ports, &requests))
        });
        Self { threads: threads.collect(), requests }
    }

    pub(crate) fn are_done(&self) -> bool {
        self.threads.iter().all(JoinHandle::is_finished)
    }

    pub(crate) fn join(self) -> Sent {
        let ids = self.threads.into_iter().map(|thread| thread.join().expect("a sender"));
        Sent {
            acknowledged: ids.flatten().collect(),
            requests: self.requests.load(Ordering::Relaxed),
        }
    }
}

/// Each until it is acknowledged, then the next. Every fifth is sent once more.
fn send_all(
    repository: usize,
    numbers: &[usize],
    ports: [u16; 2],
    requests: &AtomicU64,
) -> Vec<DeliveryId> {
    let secret = Secret::new(SECRET).expect("a secret");
    let mut acknowledged = Vec::new();
    for number in numbers {
        let delivery = TestDelivery::push().with(|push| {
            push.repository.id = format!("repository-{repository}");
            push.after = format!("{number:040x}");
        });
        let request = bytes(&delivery.request("/webhooks", &secret));
        let times = if number % 5 == 0 { 2 } else { 1 };
        for _ in 0..times {
            let mut ports = ports.iter().cycle().skip(number % 2);
            loop {
                requests.fetch_add(1, Ordering::Relaxed);
                let port = ports.next().copied().unwrap_or_default();
                if send(port, &request).is_ok_and(|status| status == 200) {
                    break;
                }
                thread::sleep(BEFORE_THE_NEXT_TRY);
            }
        }
        acknowledged.push(delivery.delivery().id());
    }
    acknowledged
}

fn bytes(request: &http::Request<bytes::Bytes>) -> Vec<u8> {
    let mut bytes = b"POST /webhooks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n".to_vec();
    for (name, value) in request.headers() {
        bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    bytes.extend(format!("Content-Length: {}\r\n\r\n", request.body().len()).as_bytes());
    bytes.extend(request.body());
    bytes
}

/// Returns the status.
fn send(port: u16, request: &[u8]) -> io::Result<u16> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request)?;
    let mut response = Vec::new();
    stream.read_to_end(&mut response)?;
    let status = response.get(9..12).and_then(|digits| str::from_utf8(digits).ok()?.parse().ok());
    status.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}
