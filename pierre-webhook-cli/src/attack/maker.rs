//! Makes the requests of the cases: with the user's secret, the present time, and a body that no other has.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use pierre_webhook_core::{DeliveryHeaders, EVENT_HEADER, Error, SIGNATURE_HEADER, Verifier};
use zeroize::Zeroizing;

use super::verdict::Expected;
use crate::{
    exit::Failure,
    mac::mac,
    secrets::Secrets,
    send::{Known, Seed},
    time,
    verifier::VerifierArgs,
};

/// A request, byte for byte.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) headers: Vec<(&'static str, Vec<u8>)>,
    pub(super) body: Vec<u8>,
    pub(super) framing: Framing,
}

/// How the body is sent.
#[derive(Clone, Debug)]
pub(super) enum Framing {
    /// With its length.
    Length,
    /// With this length in the place of its own.
    Declared(u64),
    /// In pieces with pauses between them.
    Slow,
    /// In two pieces, the second from this byte on.
    Split(usize),
    /// In chunks of so many bytes.
    Chunked(usize),
    /// Ended in its middle.
    Truncated,
}

/// What the cases are made of.
pub(super) struct Maker {
    verifier: Verifier,
    pub(super) max_age: Duration,
    pub(super) limit: usize,
    secret: Zeroizing<Vec<u8>>,
    others: Vec<Zeroizing<Vec<u8>>>,
    seed: Seed,
    made: AtomicU64,
}

impl Maker {
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

    /// What core says of a request: the verdict that must come of it.
    pub(super) fn expected(&self, request: &Request) -> Expected {
        match self.verify(request) {
            Ok(()) => Expected::Accepted,
            Err(error) => Expected::Refused(error),
        }
    }

    fn verify(&self, request: &Request) -> Result<(), Error> {
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

    /// A push that must be accepted.
    pub(super) fn good(&self) -> Request {
        self.known(Known::Push)
    }

    /// A documented event.
    pub(super) fn known(&self, event: Known) -> Request {
        self.request(event.event_type(), self.body(event))
    }

    pub(super) fn body(&self, event: Known) -> Vec<u8> {
        let n = self.made.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let payload = event.payload(n, Timestamp::now(), self.seed);
        payload.and_then(|tree| serde_json::to_vec(&tree)).unwrap_or_default()
    }

    /// Any event and body, signed now.
    pub(super) fn request(&self, event: &str, body: impl Into<Vec<u8>>) -> Request {
        let body = body.into();
        let signature = self.sign(&self.now(0), &body);
        Request::new(event, &signature, body)
    }

    /// A push with another signature header, made of the timestamp and the MAC's hex digits.
    pub(super) fn with_signature(&self, make: impl FnOnce(&str, &str) -> String) -> Request {
        self.with_timestamp(&self.now(0), make)
    }

    /// As `with_signature`, with a timestamp that is signed as it stands.
    pub(super) fn with_timestamp(
        &self,
        timestamp: &str,
        make: impl FnOnce(&str, &str) -> String,
    ) -> Request {
        let body = self.body(Known::Push);
        let signature = make(timestamp, &self.hex(&self.secret, timestamp, &body));
        Request::new("push", &signature, body)
    }

    /// A push that is so many seconds old.
    pub(super) fn aged(&self, seconds: i64) -> Request {
        self.with_timestamp(&self.now(seconds), signature)
    }

    /// A push signed with another secret.
    pub(super) fn with_secret(&self, secret: &[u8]) -> Request {
        let (body, now) = (self.body(Known::Push), self.now(0));
        let value = signature(&now, &self.hex(secret, &now, &body));
        Request::new("push", &value, body)
    }

    /// The first of the other secrets that are accepted.
    pub(super) fn other_secret(&self) -> Option<&[u8]> {
        self.others.first().map(|secret| &***secret)
    }

    pub(super) fn secret(&self) -> &[u8] {
        &self.secret
    }

    /// Unix seconds, so many seconds ago.
    pub(super) fn now(&self, ago: i64) -> String {
        time::signed_at(SignedDuration::from_secs(ago)).to_string()
    }

    fn sign(&self, timestamp: &str, body: &[u8]) -> String {
        signature(timestamp, &self.hex(&self.secret, timestamp, body))
    }

    fn hex(&self, secret: &[u8], timestamp: &str, body: &[u8]) -> String {
        let mac = mac(secret, format!("{timestamp}.").as_bytes(), body).unwrap_or_default();
        mac.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// As documented.
pub(super) fn signature(timestamp: &str, digits: &str) -> String {
    format!("t={timestamp},sha256={digits}")
}

impl Request {
    fn new(event: &str, signature: &str, body: Vec<u8>) -> Self {
        let headers = vec![(EVENT_HEADER, event.into()), (SIGNATURE_HEADER, signature.into())];
        Self { headers, body, framing: Framing::Length }
    }

    pub(super) fn framed(self, framing: Framing) -> Self {
        Self { framing, ..self }
    }

    /// With another body under the same signature.
    pub(super) fn with_body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// With the header's value changed.
    pub(super) fn with_header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        if let Some((_, old)) = self.headers.iter_mut().find(|(other, _)| *other == name) {
            *old = value.into();
        }
        self
    }

    pub(super) fn without_header(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| *other != name);
        self
    }

    /// With a second line of a header.
    pub(super) fn with_second(mut self, name: &'static str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn header(&self, name: &str) -> Vec<u8> {
        let found = self.headers.iter().find(|(other, _)| *other == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }
}
