//! The deliveries of `--hold`, which wait for an application that is down.

use std::{collections::VecDeque, time::Instant};

use crate::client::Outgoing;

/// How many deliveries wait at most, and how many bytes of their bodies.
const MAX: usize = 1_000;
const MAX_BYTES: usize = 64 << 20;

/// A delivery that waits.
#[derive(Clone, Debug)]
pub(super) struct HeldDelivery {
    pub(super) n: u64,
    pub(super) request: Outgoing,
    /// The index of the secret that verified it, which signs it again.
    pub(super) matched_secret: Option<usize>,
    pub(super) since: Instant,
}

/// Deliveries in the order of their arrival.
#[derive(Default)]
pub(super) struct Held {
    waiting: VecDeque<HeldDelivery>,
    bytes: usize,
}

impl Held {
    /// Appends a delivery. Returns false if there is no room for it.
    pub(super) fn push(&mut self, delivery: HeldDelivery) -> bool {
        let bytes = self.bytes.saturating_add(delivery.request.body.len());
        if self.waiting.len() >= MAX || bytes > MAX_BYTES {
            return false;
        }
        self.bytes = bytes;
        self.waiting.push_back(delivery);
        true
    }

    pub(super) fn first(&self) -> Option<&HeldDelivery> {
        self.waiting.front()
    }

    pub(super) fn remove_first(&mut self) {
        if let Some(delivery) = self.waiting.pop_front() {
            self.bytes = self.bytes.saturating_sub(delivery.request.body.len());
        }
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{Extensions, HeaderMap, Method};

    use super::*;

    fn delivery(n: u64, size: usize) -> HeldDelivery {
        let body = Bytes::from(vec![0; size]);
        let request = Outgoing::forwarded(Method::POST, &HeaderMap::new(), body, Extensions::new());
        HeldDelivery { n, request, matched_secret: None, since: Instant::now() }
    }

    #[test]
    fn the_number_of_held_deliveries_is_bounded() {
        let mut held = Held::default();
        for n in 0..1_000 {
            assert!(held.push(delivery(n, 0)));
        }
        assert!(!held.push(delivery(1_000, 0)));
        assert_eq!(held.first().map(|first| first.n), Some(0));
        held.remove_first();
        assert_eq!((held.first().map(|first| first.n), held.len()), (Some(1), 999));
        assert!(held.push(delivery(1_001, 0)));
    }

    #[test]
    fn their_bytes_are_bounded() {
        let mut held = Held::default();
        assert!(held.push(delivery(1, 40 << 20)));
        assert!(!held.push(delivery(2, 40 << 20)));
        assert!(held.push(delivery(3, 24 << 20)));
        assert!(!held.push(delivery(4, 1)));
        held.remove_first();
        assert!(held.push(delivery(5, 40 << 20)));
    }
}
