//! A request, read whole and judged by core.

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
const LONGEST: Duration = Duration::from_secs(30);

/// A request that has arrived.
pub(super) struct Received {
    pub(super) n: u64,
    pub(super) at: Timestamp,
    pub(super) head: Parts,
    /// `None` where it is over the limit or broke off.
    pub(super) body: Option<Bytes>,
    /// Core's, with the number of the secret that matched, from 0.
    pub(super) verdict: Result<usize, Error>,
}

/// Reads a request. The body is read although the headers condemn it: it is to be saved, forwarded and told
/// from others. (Never more of it than the limit.)
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
                // Where the headers passed, core says it itself.
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
    let whole = timeout(LONGEST, reading).await.unwrap_or(Err(Error::BodyUnreadable));
    let is_whole = matches!(whole, Ok(true));
    if !is_whole {
        discard(body);
    }
    // The earlier rule's error counts.
    let verdict = pending.and_then(|pending| whole.and_then(|_| pending.finish()));
    (is_whole.then(|| read.freeze()), verdict)
}

/// Reads on for a moment beside the answer, or a sender that is still writing would not see it: the connection
/// would be reset under its hands.
fn discard(mut body: Incoming) {
    const MOMENT: Duration = Duration::from_secs(1);
    tokio::spawn(timeout(MOMENT, async move { while let Some(Ok(_)) = body.frame().await {} }));
}

impl Received {
    /// The event type, where the event header is one.
    pub(super) fn event_type(&self) -> Option<&str> {
        DeliveryHeaders::parse_event_type(&self.head.headers).ok()
    }

    /// When it claims to have been signed, in Unix seconds.
    pub(super) fn signed_at(&self) -> Option<u64> {
        DeliveryHeaders::parse(&self.head.headers).ok().map(|headers| headers.timestamp())
    }

    /// In seconds; less than nothing where the sender's clock is ahead.
    pub(super) fn age(&self) -> Option<i64> {
        let signed_at = self.signed_at()?.try_into().ok()?;
        Some(self.at.as_second().saturating_sub(signed_at))
    }

    pub(super) fn id(&self) -> Option<DeliveryId> {
        Some(DeliveryId::of(self.event_type()?, self.body.as_ref()?))
    }

    /// The signature header as it came.
    pub(super) fn signature(&self) -> &[u8] {
        self.head.headers.get(SIGNATURE_HEADER).map_or(&[], |value| value.as_bytes())
    }
}
