//! The secrets that a verifier accepts, and the search for the one that signed a body (rule 5).

use std::time::SystemTime;

use crate::{
    mac::{Candidates, Key, Mac},
    secret::Secret,
};

#[derive(Clone)]
pub(crate) struct AcceptedSecrets {
    current: Secret,
    /// In the order given.
    previous: Vec<Previous>,
}

#[derive(Clone)]
struct Previous {
    secret: Secret,
    /// `None` if it doesn't expire.
    until: Option<SystemTime>,
}

impl Previous {
    #[inline]
    fn is_accepted(&self, now: SystemTime) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl AcceptedSecrets {
    pub(crate) fn new(current: Secret) -> Self {
        Self { current, previous: Vec::new() }
    }

    pub(crate) fn add(&mut self, secret: Secret, until: Option<SystemTime>) {
        self.previous.push(Previous { secret, until });
    }

    pub(crate) fn previous_len(&self) -> usize {
        self.previous.len()
    }

    /// Returns the index of the secret that signed this body. 0 is the current secret.
    #[inline]
    pub(crate) fn find(
        &self,
        now: SystemTime,
        candidates: &Candidates,
        timestamp: &[u8],
        body: &[u8],
    ) -> Option<usize> {
        let matches = |key: &Key| candidates.contain(&key.mac(timestamp, body));
        let current = matches(self.current.key());
        lowest_match(current, self.accepted(now).map(|(index, key)| (index, matches(key))))
    }

    /// Starts the MACs of a body that is still to arrive: one for each secret that is accepted now.
    #[inline]
    pub(crate) fn start(&self, now: SystemTime, timestamp: &[u8]) -> Macs {
        Macs {
            previous: self
                .accepted(now)
                .map(|(index, key)| (index, key.start(timestamp)))
                .collect(),
            current: self.current.key().start(timestamp),
        }
    }

    /// Returns the index of the secret that signed a body that is now complete. A secret that expired while the
    /// body arrived no longer counts.
    #[inline]
    pub(crate) fn find_started(
        &self,
        now: SystemTime,
        candidates: &Candidates,
        macs: &mut Macs,
    ) -> Option<usize> {
        let current = candidates.contain(&macs.current.finish());
        let previous = macs.previous.iter_mut().filter_map(|(index, mac)| {
            let is_accepted = self.previous.get(index.checked_sub(1)?)?.is_accepted(now);
            is_accepted.then(|| (*index, candidates.contain(&mac.finish())))
        });
        lowest_match(current, previous)
    }

    /// Returns the keys of the previous secrets that are accepted now, with their indexes.
    fn accepted(&self, now: SystemTime) -> impl Iterator<Item = (usize, &Key)> {
        (1..)
            .zip(&self.previous)
            .filter(move |(_, previous)| previous.is_accepted(now))
            .map(|(index, previous)| (index, previous.secret.key()))
    }
}

/// The running MACs of a delivery.
pub(crate) struct Macs {
    current: Mac,
    /// Each with the index of its secret. Empty (and unallocated) unless secrets are being rotated.
    previous: Vec<(usize, Mac)>,
}

impl Macs {
    #[inline]
    pub(crate) fn update(&mut self, chunk: &[u8]) {
        self.current.update(chunk);
        for (_, mac) in &mut self.previous {
            mac.update(chunk);
        }
    }
}

/// Returns the index of the first secret that matched. All are compared, so that the time taken doesn't reveal
/// which one matched.
fn lowest_match(current: bool, previous: impl Iterator<Item = (usize, bool)>) -> Option<usize> {
    previous
        .fold(current.then_some(0), |found, (index, is_match)| found.or(is_match.then_some(index)))
}
