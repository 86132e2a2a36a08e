//! A cheap client: it sends prepared bytes, and reads responses only for their length.

use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use hmac::{Hmac, KeyInit, Mac};
use pierre_webhook_benches::sample::{SECRET, Sample};
use sha2::Sha256;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{MissedTickBehavior, interval},
};

/// How long a paced load runs.
const PACED: Duration = Duration::from_secs(6);
const PACED_CONNECTIONS: usize = 8;

/// A request that is sent repeatedly, and the status that it must get.
#[derive(Clone)]
pub(crate) struct Requests {
    bytes: Vec<u8>,
    status: &'static [u8],
}

impl Requests {
    /// Returns the documented push, signed as this server expects.
    pub(crate) fn good(server: &str) -> Self {
        let sample = Sample::of(292);
        let signature = if server.contains("github") {
            let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key");
            mac.update(&sample.body);
            format!("x-hub-signature-256: sha256={}", hex::encode(mac.finalize().into_bytes()))
        } else {
            format!("x-pierre-signature: {}", sample.signature)
        };
        Self { bytes: Self::bytes(&sample, &signature), status: b"200" }
    }

    pub(crate) fn forged() -> Self {
        let sample = Sample::of(292);
        let signature = format!("x-pierre-signature: {}", sample.wrong_signature);
        Self { bytes: Self::bytes(&sample, &signature), status: b"401" }
    }

    fn bytes(sample: &Sample, signature: &str) -> Vec<u8> {
        let head = format!(
            "POST /webhooks HTTP/1.1\r\nhost: localhost\r\nuser-agent: Pierre-Webhook/1.0\r\n\
             content-type: application/json\r\ncontent-length: {}\r\nx-tenant: 0\r\n\
             x-pierre-event: push\r\n{signature}\r\n\r\n",
            sample.body.len()
        );
        [head.as_bytes(), &sample.body].concat()
    }

    /// Sends one request and reads its response.
    async fn exchange(&self, stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<()> {
        stream.write_all(&self.bytes).await?;
        buffer.clear();
        loop {
            if stream.read_buf(buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else {
                continue;
            };
            assert!(buffer[9..].starts_with(self.status), "{}", buffer.escape_ascii());
            let head = str::from_utf8(&buffer[..end]).expect("a head in ASCII");
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().expect("a length"));
            if buffer.len() >= end + 4 + length {
                return Ok(());
            }
        }
    }
}

pub(crate) struct Load;

/// In microseconds.
pub(crate) struct Latency {
    pub(crate) p50: u128,
    pub(crate) p99: u128,
}

impl Load {
    /// Sends as many requests as the server can serve. Returns the requests per second.
    pub(crate) async fn full(
        address: SocketAddr,
        requests: Requests,
        connections: usize,
        time: Duration,
    ) -> f64 {
        let start = Instant::now();
        let tasks: Vec<_> = (0..connections)
            .map(|_| {
                let requests = requests.clone();
                tokio::spawn(async move {
                    let mut stream = connect(address).await;
                    let mut buffer = Vec::with_capacity(1024);
                    let mut count = 0_u32;
                    while start.elapsed() < time {
                        requests.exchange(&mut stream, &mut buffer).await.expect("an answer");
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        let mut count = 0;
        for task in tasks {
            count += task.await.expect("a task that ends");
        }
        f64::from(count) / start.elapsed().as_secs_f64()
    }

    /// Sends this many requests per second, whether or not the previous one was answered. Measures from when each was
    /// due.
    pub(crate) async fn paced(address: SocketAddr, requests: Requests, rate: usize) -> Latency {
        let tasks: Vec<_> = (0..PACED_CONNECTIONS)
            .map(|_| {
                let requests = requests.clone();
                tokio::spawn(async move {
                    let mut stream = connect(address).await;
                    let mut buffer = Vec::with_capacity(1024);
                    let mut times = Vec::new();
                    let period = Duration::from_secs_f64(PACED_CONNECTIONS as f64 / rate as f64);
                    let mut ticks = interval(period);
                    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
                    for _ in 0..(PACED.as_secs_f64() / period.as_secs_f64()) as usize {
                        let due = ticks.tick().await;
                        requests.exchange(&mut stream, &mut buffer).await.expect("an answer");
                        times.push(due.elapsed().as_micros());
                    }
                    times
                })
            })
            .collect();
        let mut times = Vec::new();
        for task in tasks {
            times.extend(task.await.expect("a task that ends"));
        }
        times.sort_unstable();
        Latency { p50: times[times.len() / 2], p99: times[times.len() * 99 / 100] }
    }

    /// Opens requests whose body stops in the middle.
    pub(crate) async fn stalled(
        address: SocketAddr,
        requests: &Requests,
        count: usize,
    ) -> Vec<TcpStream> {
        let mut streams = Vec::new();
        for _ in 0..count {
            let mut stream = connect(address).await;
            let half = requests.bytes.len() - 146;
            stream.write_all(&requests.bytes[..half]).await.expect("a connection");
            streams.push(stream);
        }
        // A complete request: once it is answered, the server has read the others.
        let mut stream = connect(address).await;
        requests.exchange(&mut stream, &mut Vec::new()).await.expect("an answer");
        streams
    }
}

async fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).await.expect("a server");
    stream.set_nodelay(true).expect("a socket");
    stream
}
