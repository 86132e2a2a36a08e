//! A connection that is kept open. Like a sender, it treats any failure of the connection as no response.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

/// Longer than a server waits for its store, and shorter than a server is frozen.
const PATIENCE: Duration = Duration::from_millis(1500);

pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In seconds.
    pub(crate) retry_after: Option<u64>,
    pub(crate) body: Vec<u8>,
}

pub(crate) struct Connection {
    pub(crate) address: SocketAddr,
    stream: BufReader<TcpStream>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = timeout(PATIENCE, TcpStream::connect(address)).await??;
        stream.set_nodelay(true)?;
        Ok(Self { address, stream: BufReader::new(stream) })
    }

    /// Sends a request and reads the response. After an error the connection can't be used again.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer> {
        timeout(PATIENCE, async {
            self.stream.write_all(request).await?;
            self.answer().await
        })
        .await?
    }

    async fn answer(&mut self) -> io::Result<Answer> {
        let status = self.line().await?;
        let status = status.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3));
        let status = status.and_then(|status| status.parse().ok()).ok_or_else(not_http)?;
        let mut answer = Answer { status, retry_after: None, body: Vec::new() };
        loop {
            let line = self.line().await?;
            let Some((name, value)) = line.split_once(": ") else { break };
            match name {
                "content-length" => {
                    answer.body.resize(value.parse().map_err(|_| not_http())?, 0);
                }
                "retry-after" => answer.retry_after = value.parse().ok(),
                _ => {}
            }
        }
        self.stream.read_exact(&mut answer.body).await?;
        Ok(answer)
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line).await?;
        match line.strip_suffix("\r\n") {
            Some(line) => Ok(line.to_owned()),
            None => Err(ErrorKind::UnexpectedEof.into()),
        }
    }
}

fn not_http() -> io::Error {
    ErrorKind::InvalidData.into()
}
