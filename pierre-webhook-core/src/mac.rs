//! Rule 5: the MAC of a delivery, streamed and compared.

use std::{iter, vec};

use hmac::{Hmac, Mac as _, digest::CtOutput};
use sha2::Sha256;

use crate::{hex, signature::Signature};

/// A running HMAC-SHA256 over timestamp, dot and body, under one secret.
pub(crate) struct Mac(Hmac<Sha256>);

impl Mac {
    /// The timestamp is signed as it stands in the header, leading zeros and all.
    pub(crate) fn start(keyed: &Hmac<Sha256>, timestamp: &str) -> Self {
        let mut mac = keyed.clone();
        mac.update(timestamp.as_bytes());
        mac.update(b".");
        Self(mac)
    }

    pub(crate) fn update(&mut self, chunk: &[u8]) {
        self.0.update(chunk);
    }

    pub(crate) fn into_hex(self) -> String {
        hex::encode(&self.0.finalize().into_bytes().into())
    }
}

/// The running MACs of a delivery, one for each secret that is accepted, with the secret's index.
pub(crate) struct Macs {
    current: Mac,
    // Empty, and so not allocated, but while a secret is rotated.
    previous: Vec<(usize, Mac)>,
}

impl Macs {
    pub(crate) fn new(current: Mac, previous: impl Iterator<Item = (usize, Mac)>) -> Self {
        Self { current, previous: previous.collect() }
    }

    pub(crate) fn update(&mut self, chunk: &[u8]) {
        self.current.update(chunk);
        for (_, mac) in &mut self.previous {
            mac.update(chunk);
        }
    }
}

impl IntoIterator for Macs {
    type Item = (usize, Mac);
    type IntoIter = iter::Chain<iter::Once<Self::Item>, vec::IntoIter<Self::Item>>;

    fn into_iter(self) -> Self::IntoIter {
        iter::once((0, self.current)).chain(self.previous)
    }
}

/// The `sha256` values of a signature that are 64 hex digits, decoded: at least one, at most eight.
pub(crate) struct Candidates {
    first: [u8; 32],
    // Empty, and so not allocated, but for a sender that signs with two secrets while it rotates.
    rest: Vec<[u8; 32]>,
}

impl Candidates {
    /// `None` where no value is well formed: then no body can match.
    pub(crate) fn decode(signature: &Signature<'_>) -> Option<Self> {
        let mut decoded = signature.sha256().filter_map(hex::decode);
        Some(Self { first: decoded.next()?, rest: decoded.collect() })
    }

    /// The index of the first of the MACs that is among the candidates. Every MAC is compared with every
    /// candidate, each in constant time, so that the time tells nothing of where a match was.
    pub(crate) fn find(&self, macs: impl Iterator<Item = (usize, Mac)>) -> Option<usize> {
        macs.fold(None, |found, (index, mac)| {
            let mac = mac.0.finalize();
            let matches = self.iter().fold(false, |matches, candidate| {
                matches | (mac == CtOutput::new(candidate.into()))
            });
            found.or(matches.then_some(index))
        })
    }

    fn iter(&self) -> impl Iterator<Item = [u8; 32]> {
        iter::once(self.first).chain(self.rest.iter().copied())
    }
}
