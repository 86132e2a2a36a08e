//! Forwards deliveries to `--forward-to`.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use serde::Serialize;

use super::{receive::Received, reply::Reply};
use crate::{
    client::{Client, NoAnswer, Outgoing, Target, TrustArgs, without_connection_headers},
    exit::Failure,
    time,
};

/// Forwards deliveries.
pub(super) struct Forward {
    client: Client,
    target: Target,
    pub(super) only_verified: bool,
}

/// The result of a forward.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Forwarded {
    /// `null` if there was no answer.
    pub(super) status: Option<u16>,
    pub(super) ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

impl Forward {
    pub(super) fn new(
        target: Target,
        trust: &TrustArgs,
        only_verified: bool,
    ) -> Result<Self, Failure> {
        /// As long as senders usually wait for an answer.
        const TIMEOUT: Duration = Duration::from_secs(30);
        const MAX_ANSWER: usize = 16 << 20;
        let client = Client::new(TIMEOUT, trust, &target, MAX_ANSWER)?;
        Ok(Self { client, target, only_verified })
    }

    /// Forwards a delivery as it arrived, and returns the answer.
    pub(super) async fn send(&self, received: &Received, body: Bytes) -> (Reply, Forwarded) {
        let head = &received.head;
        let request =
            Outgoing::forwarded(head.method.clone(), &head.headers, body, head.extensions.clone());
        match self.client.exchange(&self.target, request).await {
            Ok(answer) if answer.is_truncated => {
                let text = "the answer is larger than 16 MiB";
                failed(StatusCode::BAD_GATEWAY, text, answer.time)
            }
            Ok(answer) => {
                let (status, body) = (answer.status, answer.body);
                let headers = without_connection_headers(&answer.headers);
                let ms = time::milliseconds(answer.time);
                let forwarded = Forwarded { status: Some(status.as_u16()), ms, error: None };
                (Reply { status, headers, body }, forwarded)
            }
            Err(NoAnswer { text, is_timeout: true, time }) => {
                failed(StatusCode::GATEWAY_TIMEOUT, &text, time)
            }
            Err(NoAnswer { text, time, .. }) => failed(StatusCode::BAD_GATEWAY, &text, time),
        }
    }
}

fn failed(status: StatusCode, text: &str, time: Duration) -> (Reply, Forwarded) {
    let forwarded =
        Forwarded { status: None, ms: time::milliseconds(time), error: Some(text.to_owned()) };
    (Reply::problem(status, "forward_failed", &format!("The forward failed: {text}")), forwarded)
}
