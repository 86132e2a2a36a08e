//! One exchange: a connection, a request and its answer.

use std::{
    error::Error,
    fmt::Write as _,
    io,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, Version};
use http_body_util::BodyExt as _;
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;

use super::{
    connector::{Connector, TrustArgs},
    outgoing::Outgoing,
    patient::Patient,
    stream::Stream,
    target::Target,
};
use crate::{exit::Failure, time};

/// Enough of an answer's body to show the server's reason.
pub(crate) const SHORT_ANSWER: usize = 64 << 10;

/// How to connect to a server.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ClientArgs {
    /// How long to wait for an answer
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = time::duration)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
}

/// Sends requests, each on its own connection.
pub(crate) struct Client {
    timeout: Duration,
    max_body: usize,
    connector: Connector,
}

/// A server's answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// As much of it as the client was told to read.
    pub(crate) body: Bytes,
    /// The server's body is longer than `body`.
    pub(crate) is_truncated: bool,
    pub(crate) time: Duration,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) struct NoAnswer {
    /// Not escaped. Part of it may come from the server.
    pub(crate) text: String,
    pub(crate) kind: NoAnswerKind,
    pub(crate) time: Duration,
}

/// How far an exchange came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoAnswerKind {
    /// There was no connection, so nothing was sent.
    NotConnected,
    TimedOut,
    /// The connection failed later.
    Failed,
}

impl Client {
    /// Creates a client that reads at most `max_body` bytes of an answer's body.
    pub(crate) fn new(
        timeout: Duration,
        trust: &TrustArgs,
        target: &Target,
        max_body: usize,
    ) -> Result<Self, Failure> {
        Ok(Self { timeout, max_body, connector: Connector::new(trust, target)? })
    }

    /// Sends a request and reads the answer, within the timeout.
    pub(crate) async fn exchange(
        &self,
        target: &Target,
        request: Outgoing,
    ) -> Result<Answer, NoAnswer> {
        let start = Instant::now();
        let exchanged = timeout(self.timeout, self.connect_and_send(target, request)).await;
        let time = start.elapsed();
        match exchanged {
            Ok(Ok(answer)) => Ok(Answer { time, ..answer }),
            Ok(Err((kind, error))) => Err(NoAnswer { text: chain(&*error), kind, time }),
            Err(_) => {
                let text = format!("no answer within {:?}", self.timeout);
                Err(NoAnswer { text, kind: NoAnswerKind::TimedOut, time })
            }
        }
    }

    async fn connect_and_send(
        &self,
        target: &Target,
        request: Outgoing,
    ) -> Result<Answer, (NoAnswerKind, Box<dyn Error + Send + Sync>)> {
        let stream = self.connector.connect(target).await;
        let stream = stream.map_err(|error| (NoAnswerKind::NotConnected, error.into()))?;
        self.send(target, request, stream).await.map_err(|error| (NoAnswerKind::Failed, error))
    }

    /// Returns whether a connection can be opened, within the timeout.
    pub(crate) async fn can_connect(&self, target: &Target) -> bool {
        matches!(timeout(self.timeout, self.connector.connect(target)).await, Ok(Ok(_)))
    }

    async fn send(
        &self,
        target: &Target,
        request: Outgoing,
        stream: Box<dyn Stream>,
    ) -> Result<Answer, Box<dyn Error + Send + Sync>> {
        let request = request.into_request(target)?;
        debug_assert_eq!(request.version(), Version::HTTP_11);
        let (mut sender, connection) = http1::Builder::new()
            .preserve_header_case(true)
            .title_case_headers(true)
            .handshake(TokioIo::new(Patient(stream)))
            .await?;
        // The connection is polled alongside the exchange, and dropped with it.
        let exchange = async {
            let (head, body) = sender.send_request(request).await?.into_parts();
            let (body, is_truncated) = self.read(body).await?;
            let (status, headers, time) = (head.status, head.headers, Duration::ZERO);
            Ok(Answer { status, headers, body, is_truncated, time })
        };
        tokio::pin!(exchange);
        tokio::select! {
            answer = &mut exchange => answer,
            // If the connection ends first, the exchange completes with what has already arrived.
            _ = connection => exchange.await,
        }
    }

    async fn read(&self, mut body: Incoming) -> Result<(Bytes, bool), hyper::Error> {
        let mut read = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else { continue };
            let room = self.max_body.saturating_sub(read.len());
            read.extend_from_slice(data.get(..room).unwrap_or(&data));
            if data.len() > room {
                return Ok((read.freeze(), true));
            }
        }
        Ok((read.freeze(), false))
    }
}

/// Joins an error and its causes, without repetition.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = without_os_code(error);
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = without_os_code(error);
        if !text.contains(&more) {
            let _ = write!(text, ": {more}");
        }
        cause = error.source();
    }
    text
}

/// Returns the error's text without the `(os error N)` that Rust appends.
fn without_os_code(error: &(dyn Error + 'static)) -> String {
    let text = error.to_string();
    let code = error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error);
    match code.and_then(|code| text.strip_suffix(&format!(" (os error {code})"))) {
        Some(plain) => plain.to_owned(),
        None => text,
    }
}
