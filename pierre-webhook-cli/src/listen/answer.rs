//! What the sender is answered: core's refusal, the forward's answer, or a failure that was asked for.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::Full;
use pierre_webhook_core::{Error, problem_json};
use serde::Serialize;

use super::receive::Received;
use crate::{
    exit::Failure,
    http::{Client, NoAnswer, Outgoing, Target, TrustArgs, without_connection_headers},
    time,
};

/// An answer, before it is a response.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    pub(super) fn ok() -> Self {
        Self { status: StatusCode::OK, headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// Core's answer to a refused delivery.
    pub(super) fn refused(error: &Error) -> Self {
        let headers = error
            .headers()
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        Self {
            status: StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::BAD_REQUEST),
            headers: headers.collect(),
            body: error.problem_json().into(),
        }
    }

    /// One of our own.
    pub(super) fn problem(status: StatusCode, detail: &str) -> Self {
        let content_type = HeaderValue::from_static(pierre_webhook_core::PROBLEM_JSON);
        Self {
            status,
            headers: HeaderMap::from_iter([(CONTENT_TYPE, content_type)]),
            body: problem_json(status.as_u16(), detail).into(),
        }
    }

    pub(super) fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// Sends deliveries on.
pub(super) struct Forward {
    client: Client,
    target: Target,
    pub(super) only_verified: bool,
}

/// What became of a forward.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Forwarded {
    /// `null`: no answer.
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
        /// As long as senders wait for an answer.
        const LONGEST: Duration = Duration::from_secs(30);
        const MOST_ANSWER: usize = 16 << 20;
        let client = Client::new(LONGEST, trust, &target, MOST_ANSWER)?;
        Ok(Self { client, target, only_verified })
    }

    /// Sends a delivery on as it came, and takes over the answer.
    pub(super) async fn send(&self, received: &Received, body: Bytes) -> (Answer, Forwarded) {
        let head = &received.head;
        let request =
            Outgoing::passed_on(head.method.clone(), &head.headers, body, head.extensions.clone());
        match self.client.exchange(&self.target, request).await {
            Ok(answer) if answer.is_cut => {
                let text = "the answer is larger than 16 MiB";
                failed(StatusCode::BAD_GATEWAY, text, answer.time)
            }
            Ok(answer) => {
                let (status, body) = (answer.status, answer.body);
                let headers = without_connection_headers(&answer.headers);
                let ms = time::milliseconds(answer.time);
                let forwarded = Forwarded { status: Some(status.as_u16()), ms, error: None };
                (Answer { status, headers, body }, forwarded)
            }
            Err(NoAnswer { text, is_timeout: true, time }) => {
                failed(StatusCode::GATEWAY_TIMEOUT, &text, time)
            }
            Err(NoAnswer { text, time, .. }) => failed(StatusCode::BAD_GATEWAY, &text, time),
        }
    }
}

fn failed(status: StatusCode, text: &str, time: Duration) -> (Answer, Forwarded) {
    let forwarded =
        Forwarded { status: None, ms: time::milliseconds(time), error: Some(text.to_owned()) };
    (Answer::problem(status, &format!("The forward failed: {text}")), forwarded)
}
