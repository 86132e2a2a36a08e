//! Remembers deliveries, to recognize duplicates.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher as _, RandomState},
};

use pierre_webhook_core::DeliveryId;

/// The most recent deliveries, up to a maximum.
pub(super) struct Memory {
    seen: HashMap<DeliveryId, Seen>,
    /// The oldest first.
    order: VecDeque<DeliveryId>,
    max: usize,
    hasher: RandomState,
}

struct Seen {
    n: u64,
    tries: u64,
    signature: u64,
}

/// What is known about a delivery when it arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sighting {
    /// Including this one.
    pub(super) tries: u64,
    pub(super) duplicate: Option<Duplicate>,
}

/// A delivery that arrived before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Duplicate {
    /// The number of the first delivery.
    pub(super) of: u64,
    /// The signature header differs from the first delivery's.
    pub(super) is_resigned: bool,
}

impl Memory {
    pub(super) fn new(max: usize) -> Self {
        Self { seen: HashMap::new(), order: VecDeque::new(), max, hasher: RandomState::new() }
    }

    /// Remembers a delivery, and returns what was known about it.
    pub(super) fn see(&mut self, n: u64, id: DeliveryId, signature: &[u8]) -> Sighting {
        let signature = self.hasher.hash_one(signature);
        if let Some(seen) = self.seen.get_mut(&id) {
            seen.tries = seen.tries.saturating_add(1);
            let is_resigned = seen.signature != signature;
            let duplicate = Some(Duplicate { of: seen.n, is_resigned });
            return Sighting { tries: seen.tries, duplicate };
        }
        if self.order.len() >= self.max
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        self.seen.insert(id, Seen { n, tries: 1, signature });
        self.order.push_back(id);
        Sighting { tries: 1, duplicate: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sighting(tries: u64, of: u64, is_resigned: bool) -> Sighting {
        Sighting { tries, duplicate: Some(Duplicate { of, is_resigned }) }
    }

    #[test]
    fn a_delivery_is_recognized_whatever_its_signature() {
        let mut memory = Memory::new(10);
        let (a, b) = (DeliveryId::from([1; 32]), DeliveryId::from([2; 32]));
        let new = Sighting { tries: 1, duplicate: None };
        assert_eq!(memory.see(1, a, b"t=1"), new);
        assert_eq!(memory.see(2, b, b"t=1"), new);
        assert_eq!(memory.see(3, a, b"t=1"), sighting(2, 1, false));
        assert_eq!(memory.see(4, a, b"t=2"), sighting(3, 1, true));
    }

    #[test]
    fn the_oldest_delivery_is_forgotten_first() {
        let mut memory = Memory::new(2);
        for (n, id) in (1..).zip([1, 2, 3]) {
            memory.see(n, DeliveryId::from([id; 32]), b"");
        }
        assert_eq!(memory.see(4, DeliveryId::from([3; 32]), b""), sighting(2, 3, false));
        assert_eq!(memory.see(5, DeliveryId::from([1; 32]), b"").duplicate, None);
        assert_eq!((memory.seen.len(), memory.order.len()), (2, 2));
    }
}
