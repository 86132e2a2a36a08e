//! Makes the requests of the cases, with the user's secret, the current time, and a new body for each.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use pierre_webhook_core::{DeliveryHeaders, Error, Verifier};
use zeroize::Zeroizing;

use super::{
    raw_request::{Framing, RawRequest, signature},
    verdict::Expectation,
};
use crate::{
    exit::Failure,
    hex,
    mac::mac,
    payload::{KnownEvent, Seed},
    secrets::Secrets,
    time,
    verifier::VerifierArgs,
};

/// Makes requests, and asks core what to expect of each.
pub(super) struct RequestMaker {
    verifier: Verifier,
    pub(super) max_age: Duration,
    pub(super) limit: usize,
    secret: Zeroizing<Vec<u8>>,
    others: Vec<Zeroizing<Vec<u8>>>,
    seed: Seed,
    made: AtomicU64,
}

impl RequestMaker {
    pub(super) fn new(args: &VerifierArgs, secrets: &Secrets) -> Result<Self, Failure> {
        let mut bytes = secrets.bytes().map(|bytes| Zeroizing::new(bytes.to_vec()));
        Ok(Self {
            verifier: args.verifier(secrets),
            max_age: args.max_age,
            limit: args.body_limit,
            secret: bytes.next().unwrap_or_default(),
            others: bytes.collect(),
            seed: Seed::random()?,
            made: AtomicU64::new(0),
        })
    }

    /// Returns core's verdict on a request, which the receiver must share.
    pub(super) fn expected(&self, request: &RawRequest) -> Expectation {
        match self.verify(request) {
            Ok(()) => Expectation::Accepted,
            Err(error) => Expectation::Rejected(error),
        }
    }

    fn verify(&self, request: &RawRequest) -> Result<(), Error> {
        let declared = match request.framing {
            Framing::Chunked(_) => None,
            Framing::Declared(length) => Some(length.to_string()),
            _ => Some(request.body.len().to_string()),
        };
        let declared = declared.as_ref().map(|length| ("content-length", length.as_bytes()));
        let lines = request.headers.iter().map(|(name, value)| (*name, value.as_slice()));
        let headers = DeliveryHeaders::parse(lines.chain(declared))?;
        let mut pending = self.verifier.begin(&headers)?;
        pending.push(request.body.clone().into())?;
        pending.finish().map(|_| ())
    }

    /// Makes a push that must be accepted.
    pub(super) fn good(&self) -> RawRequest {
        self.known(KnownEvent::Push)
    }

    /// Makes a delivery of a documented event.
    pub(super) fn known(&self, event: KnownEvent) -> RawRequest {
        self.request(event.event_type(), self.body(event))
    }

    /// Makes the payload of a documented event.
    pub(super) fn body(&self, event: KnownEvent) -> Vec<u8> {
        let n = self.made.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let payload = event.payload(n, Timestamp::now(), self.seed);
        payload.and_then(|tree| serde_json::to_vec(&tree)).unwrap_or_default()
    }

    /// Signs any event and body with the current time.
    pub(super) fn request(&self, event: &str, body: impl Into<Vec<u8>>) -> RawRequest {
        let body = body.into();
        let now = self.now(0);
        let signature = signature(&now, &self.digits(&self.secret, &now, &body));
        RawRequest::new(event, &signature, body)
    }

    /// Makes a push whose signature header `make` builds from the timestamp and the MAC's hex digits.
    pub(super) fn with_signature(&self, make: impl FnOnce(&str, &str) -> String) -> RawRequest {
        self.with_timestamp(&self.now(0), make)
    }

    /// Like `with_signature`, with any text as the timestamp, which is signed as it is.
    pub(super) fn with_timestamp(
        &self,
        timestamp: &str,
        make: impl FnOnce(&str, &str) -> String,
    ) -> RawRequest {
        let body = self.body(KnownEvent::Push);
        let signature = make(timestamp, &self.digits(&self.secret, timestamp, &body));
        RawRequest::new("push", &signature, body)
    }

    /// Makes a push signed this many seconds ago.
    pub(super) fn aged(&self, seconds: i64) -> RawRequest {
        self.with_timestamp(&self.now(seconds), signature)
    }

    /// Makes a push signed with any secret.
    pub(super) fn with_secret(&self, secret: &[u8]) -> RawRequest {
        let (body, now) = (self.body(KnownEvent::Push), self.now(0));
        let value = signature(&now, &self.digits(secret, &now, &body));
        RawRequest::new("push", &value, body)
    }

    pub(super) fn secret(&self) -> &[u8] {
        &self.secret
    }

    /// Returns the first of the other accepted secrets.
    pub(super) fn other_secret(&self) -> Option<&[u8]> {
        self.others.first().map(|secret| &***secret)
    }

    /// Returns the Unix time this many seconds ago.
    pub(super) fn now(&self, ago: i64) -> String {
        time::signed_at(SignedDuration::from_secs(ago)).to_string()
    }

    /// Fills a push with spaces, up to `excess` bytes over the limit. Returns `None` if the limit is too large for
    /// that.
    pub(super) fn filled(&self, excess: usize) -> Option<RawRequest> {
        const LARGEST: usize = 64 << 20;
        let body = self.body(KnownEvent::Push);
        let room = self.limit.checked_sub(body.len())?.checked_add(excess)?;
        (self.limit <= LARGEST).then(|| self.request("push", [body, vec![b' '; room]].concat()))
    }

    fn digits(&self, secret: &[u8], timestamp: &str, body: &[u8]) -> String {
        let mac = mac(secret, format!("{timestamp}.").as_bytes(), body).unwrap_or_default();
        hex::encode(&mac)
    }
}
