//! Reads a request, and lets core verify it.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use jiff::Timestamp;
use pierre_webhook_core::{
    Delivery, DeliveryHeaders, DeliveryId, Error, PendingDelivery, SIGNATURE_HEADER, Verifier,
};
use tokio::time::timeout;

/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// A request that has arrived.
pub(super) struct Received {
    pub(super) n: u64,
    pub(super) at: Timestamp,
    pub(super) head: Parts,
    /// `None` if it is over the limit or incomplete.
    pub(super) body: Option<Bytes>,
    /// Core's verdict, with the index of the secret that matched.
    pub(super) verdict: Result<usize, Error>,
}

/// Reads a request. Unlike a receiver, it reads the body even if the headers are rejected, up to the limit: the body is
/// saved, forwarded and compared with others.
pub(super) async fn receive(
    n: u64,
    verifier: &Verifier,
    limit: usize,
    head: Parts,
    body: Incoming,
) -> Received {
    let at = Timestamp::now();
    let headers = DeliveryHeaders::parse(&head.headers);
    let pending = headers.and_then(|headers| verifier.begin(&headers));
    let (body, verdict) = match pending {
        Err(error @ Error::BodyTooLarge { .. }) => {
            discard(body);
            (None, Err(error))
        }
        pending => read(pending, limit, body).await,
    };
    let verdict = verdict.map(|delivery| delivery.matched_secret);
    Received { n, at, head, body, verdict }
}

async fn read(
    mut pending: Result<PendingDelivery, Error>,
    limit: usize,
    mut body: Incoming,
) -> (Option<Bytes>, Result<Delivery, Error>) {
    let mut read = BytesMut::new();
    let reading = async {
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| Error::BodyUnreadable)?.into_data() else { continue };
            if data.len() > limit.saturating_sub(read.len()) {
                // If the headers passed, core reports this error itself.
                if let Ok(pending) = &mut pending {
                    pending.push(data)?;
                }
                return Ok(false);
            }
            if let Ok(pending) = &mut pending {
                pending.push(data.clone())?;
            }
            read.extend_from_slice(&data);
        }
        Ok(true)
    };
    let arrived = timeout(BODY_TIMEOUT, reading).await.unwrap_or(Err(Error::BodyUnreadable));
    let is_complete = matches!(arrived, Ok(true));
    if !is_complete {
        discard(body);
    }
    // The error of the earlier rule takes precedence.
    let verdict = pending.and_then(|pending| arrived.and_then(|_| pending.finish()));
    (is_complete.then(|| read.freeze()), verdict)
}

/// Keeps reading for a moment while the answer is sent. Otherwise the connection would be reset, and a sender that is
/// still writing would miss the answer.
fn discard(mut body: Incoming) {
    const LINGER: Duration = Duration::from_secs(1);
    tokio::spawn(timeout(LINGER, async move { while let Some(Ok(_)) = body.frame().await {} }));
}

impl Received {
    /// Returns the event type, if the event header is valid.
    pub(super) fn event_type(&self) -> Option<&str> {
        DeliveryHeaders::parse_event_type(&self.head.headers).ok()
    }

    /// Returns the claimed time of the signature, in Unix seconds.
    pub(super) fn signed_at(&self) -> Option<u64> {
        DeliveryHeaders::parse(&self.head.headers).ok().map(|headers| headers.timestamp())
    }

    /// Returns the age in seconds, which is negative if the sender's clock is ahead.
    pub(super) fn age(&self) -> Option<i64> {
        let signed_at = self.signed_at()?.try_into().ok()?;
        Some(self.at.as_second().saturating_sub(signed_at))
    }

    pub(super) fn id(&self) -> Option<DeliveryId> {
        Some(DeliveryId::of(self.event_type()?, self.body.as_ref()?))
    }

    /// Returns the value of the signature header.
    pub(super) fn signature(&self) -> &[u8] {
        self.head.headers.get(SIGNATURE_HEADER).map_or(&[], |value| value.as_bytes())
    }
}
