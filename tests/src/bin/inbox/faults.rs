//! What fails, at random.

use std::{
    fmt,
    hash::{BuildHasher, Hasher, RandomState},
    thread::sleep,
    time::Duration,
};

use crate::{child::Child, storage::Server, worker::LEASE};

const NAMES: [&str; 7] = [
    "receiver killed",
    "receiver deployed",
    "receiver suspended",
    "worker killed",
    "worker deployed",
    "worker suspended",
    "database killed",
];

pub(crate) struct Faults {
    random: u64,
    counts: [u32; NAMES.len()],
}

pub(crate) fn random_seed() -> u64 {
    RandomState::new().build_hasher().finish() % 1_000_000
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        Self { random: seed, counts: [0; NAMES.len()] }
    }

    /// One fault, after a pause.
    pub(crate) fn strike(
        &mut self,
        receivers: &mut [Child],
        workers: &mut [Child],
        server: &mut Server,
    ) {
        sleep(Duration::from_millis(50 + self.below(200)));
        let receiver = self.one_of(receivers);
        let worker = self.one_of(workers);
        let fault = usize::try_from(self.below(NAMES.len() as u64)).unwrap_or_default();
        match fault {
            0 => receiver.crash(),
            1 => receiver.deploy(),
            2 => suspend(receiver, Duration::from_millis(500)),
            3 => worker.crash(),
            4 => worker.deploy(),
            5 => suspend(worker, 2 * LEASE),
            // SQLite has no process of its own.
            _ if !server.crash() => return,
            _ => {}
        }
        self.counts[fault] += 1;
    }

    fn one_of<'a>(&mut self, children: &'a mut [Child]) -> &'a mut Child {
        let index = usize::try_from(self.below(children.len() as u64)).unwrap_or_default();
        &mut children[index]
    }

    /// SplitMix64.
    fn below(&mut self, bound: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

fn suspend(child: &Child, time: Duration) {
    child.signal("-STOP");
    sleep(time);
    child.signal("-CONT");
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts: Vec<_> =
            NAMES.iter().zip(self.counts).map(|(name, count)| format!("{name} {count}")).collect();
        f.write_str(&counts.join(", "))
    }
}
