//! Sends one raw request, and reads the answer.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, split},
    time::{sleep, timeout},
};

use super::{
    answer,
    raw_request::{Framing, RawRequest},
    verdict::Reaction,
};
use crate::client::{Connector, Target};

/// The pause between the pieces of a slow body, which stays below any server's timeout.
const PAUSE: Duration = Duration::from_millis(20);
const PIECES: usize = 8;

/// How much of an answer is read.
const MAX_ANSWER: usize = 64 << 10;

/// Sends a request on its own connection. It reads while it writes: a server may answer before it reads the body.
pub(super) async fn exchange(
    connector: &Connector,
    target: &Target,
    request: &RawRequest,
    limit: Duration,
) -> Reaction {
    let exchanged = timeout(limit, async {
        let stream = match connector.connect(target).await {
            Ok(stream) => stream,
            Err(error) => return Reaction::Unreachable(error.to_string()),
        };
        let (mut reader, mut writer) = split(stream);
        let writing = async {
            // A write may fail because the server has answered and closed the connection.
            let _ = write(&mut writer, target, request).await;
            std::future::pending::<Reaction>().await
        };
        let reading = async {
            let mut bytes = Vec::new();
            loop {
                let read = reader.read_buf(&mut bytes).await;
                let is_end = !matches!(read, Ok(1..)) || bytes.len() > MAX_ANSWER;
                if let Some(got) = answer::parse(&bytes, is_end) {
                    return got;
                }
                if is_end {
                    return Reaction::Closed;
                }
            }
        };
        tokio::select! {
            got = reading => got,
            got = writing => got,
        }
    });
    exchanged.await.unwrap_or(Reaction::TimedOut)
}

async fn write(
    writer: &mut (impl AsyncWrite + Unpin),
    target: &Target,
    request: &RawRequest,
) -> std::io::Result<()> {
    let head = head(target, request);
    let body = &request.body;
    match &request.framing {
        Framing::Length | Framing::Declared(_) => {
            writer.write_all(&[&head, &body[..]].concat()).await?;
        }
        Framing::Slow => {
            writer.write_all(&head).await?;
            for piece in body.chunks(body.len().div_ceil(PIECES).max(1)) {
                sleep(PAUSE).await;
                writer.write_all(piece).await?;
                writer.flush().await?;
            }
        }
        Framing::Split(at) => {
            let (first, second) = body.split_at_checked(*at).unwrap_or((body, &[]));
            writer.write_all(&[&head, first].concat()).await?;
            writer.flush().await?;
            sleep(PAUSE).await;
            writer.write_all(second).await?;
        }
        Framing::Chunked(size) => {
            let mut bytes = head;
            for chunk in body.chunks((*size).max(1)) {
                bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
                bytes.extend(chunk);
                bytes.extend(b"\r\n");
            }
            bytes.extend(b"0\r\n\r\n");
            writer.write_all(&bytes).await?;
        }
        Framing::Truncated => {
            let half = body.get(..body.len() / 2).unwrap_or_default();
            writer.write_all(&[&head, half].concat()).await?;
            writer.shutdown().await?;
        }
    }
    writer.flush().await
}

fn head(target: &Target, request: &RawRequest) -> Vec<u8> {
    let mut head = format!("POST {} HTTP/1.1\r\n", target.path()).into_bytes();
    head.extend([b"Host: ", target.host_header().as_bytes(), b"\r\n"].concat());
    head.extend(b"Content-Type: application/json\r\nUser-Agent: Pierre-Webhook/1.0\r\nConnection: close\r\n");
    for (name, value) in &request.headers {
        head.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    head.extend(match &request.framing {
        Framing::Chunked(_) => b"Transfer-Encoding: chunked\r\n".to_vec(),
        Framing::Declared(length) => format!("Content-Length: {length}\r\n").into_bytes(),
        _ => format!("Content-Length: {}\r\n", request.body.len()).into_bytes(),
    });
    head.extend(b"\r\n");
    head
}
