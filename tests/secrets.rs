//! Searches the memory of its own process for what should have been wiped. It is a program of its own, so that the
//! memory belongs only to these tests.
#![cfg(target_os = "linux")]

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use memchr::memchr_iter;
use pierre_webhook_core::{DeliveryHeaders, EVENT_HEADER, SIGNATURE_HEADER, Secret, Verifier};
use sha2::{Digest, Sha256, block_api::compress256};
use zeroize::Zeroize;

/// Bytes to search for, stored inverted so that the search doesn't find them here.
struct Needle([u8; 32]);

impl Needle {
    fn new(mut bytes: [u8; 32]) -> Self {
        let needle = Self(bytes.map(|byte| !byte));
        bytes.zeroize();
        needle
    }

    fn is_at(&self, window: &[u8]) -> bool {
        window.iter().zip(&self.0).all(|(byte, inverted)| *byte == !inverted)
    }

    /// Counts its occurrences in the writable memory of this process, except for this thread's stack.
    fn count(&self) -> usize {
        const WINDOW: usize = 1 << 16;

        let memory = File::open("/proc/self/mem").expect("Linux");
        let mut buffer = vec![0; WINDOW + 31];
        let own = buffer.as_ptr().addr()..buffer.as_ptr().addr() + buffer.len();
        let mut count = 0;
        for line in fs::read_to_string("/proc/self/maps").expect("Linux").lines() {
            let (range, rest) = line.split_once(' ').expect("a mapping");
            let (start, end) = range.split_once('-').expect("a range");
            let [start, end] =
                [start, end].map(|text| usize::from_str_radix(text, 16).expect("an address"));
            // A pointer to a local variable identifies the stack's mapping.
            if !rest.starts_with("rw") || (start..end).contains(&(&raw const memory).addr()) {
                continue;
            }
            for window in (start..end).step_by(WINDOW) {
                let length = (end - window).min(buffer.len());
                // Memory of another test may have been unmapped in the meantime.
                let Ok(length) = memory.read_at(&mut buffer[..length], window as u64) else {
                    break;
                };
                count += memchr_iter(!self.0[0], &buffer[..length.saturating_sub(31)])
                    .filter(|at| self.is_at(&buffer[*at..at + 32]) && !own.contains(&(window + at)))
                    .count();
                buffer.zeroize();
                buffer.resize(WINDOW + 31, 0);
            }
        }
        count
    }
}

/// Allows only one search at a time, since each holds a copy of the memory that it searches.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns 32 random bytes, which no program contains.
fn random_bytes() -> [u8; 32] {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    Sha256::digest(format!("{now} {}", std::process::id())).into()
}

/// Returns the states of HMAC-SHA256 after the key's block, as they are laid out in memory.
fn key_states(key: &[u8; 32]) -> [Needle; 2] {
    const INITIAL: [u32; 8] = [
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab,
        0x5be0cd19,
    ];
    [0x36, 0x5c].map(|pad| {
        let mut block = [pad; 64];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        let mut state = INITIAL;
        compress256(&mut state, &[block]);
        let mut bytes = [0; 32];
        for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(state) {
            *bytes = word.to_ne_bytes();
        }
        block.zeroize();
        state.zeroize();
        let needle = Needle::new(bytes);
        bytes.zeroize();
        needle
    })
}

#[test]
fn the_key_and_its_state_are_wiped_when_the_last_clone_is_dropped() {
    let _alone = alone();
    let mut key = Box::new(random_bytes());
    let plain = Needle::new(*key);
    let states = key_states(&key);
    assert_eq!(plain.count(), 1, "the search finds what exists");

    let secret = Secret::new(key.as_slice()).unwrap();
    key.zeroize();
    assert_eq!(plain.count(), 0, "the key itself is not kept");

    let clone = secret.clone();
    let signature = secret.sign(1, b"{}");
    let verifier = Verifier::new(secret.clone()).or_secret(secret).any_age();
    let headers =
        DeliveryHeaders::parse([(SIGNATURE_HEADER, &*signature), (EVENT_HEADER, "ping")]).unwrap();
    verifier.verify(&headers, "{}".into()).unwrap();
    let abandoned = Box::new(verifier.begin(&headers).unwrap());
    // All clones share one, and the delivery has two MACs.
    assert_eq!(states.each_ref().map(Needle::count), [3, 3]);
    drop(abandoned);
    drop(verifier);
    assert_eq!(states.each_ref().map(Needle::count), [1, 1]);
    drop(clone);
    assert_eq!(states.each_ref().map(Needle::count), [0, 0]);
}

#[test]
fn a_secret_from_the_environment_leaves_no_copy() {
    let _alone = alone();
    // A process can't wipe the environment that it was started with, so only allocated memory is counted.
    let key = std::env::var_os("PATH").expect("a variable of every process");
    let bytes = key.as_encoded_bytes();
    if let Some(start) = bytes.get(..32) {
        let needle = Needle::new(start.try_into().unwrap());
        let before = needle.count();
        drop(Secret::from_env("PATH").unwrap());
        assert_eq!(needle.count(), before);
    }
}
