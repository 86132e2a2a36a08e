//! Searches the process's own memory for what should be wiped. A program of its own, so that the memory is
//! that of these tests alone.
//!
//! Each test first finds what is still held, so a search that finds nothing at all fails.
//!
//! Two stacks are not searched. The stack of the thread that searches has copies that moving a value left there,
//! which the crate doesn't promise to wipe. The stack of the main thread has the environment that the process was
//! started with, which a process cannot wipe.
#![cfg(target_os = "linux")]

use std::{
    env,
    fs::{self, File},
    os::unix::fs::FileExt,
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use memchr::memchr_iter;
use pierre_webhook_core::{DeliveryHeaders, EVENT_HEADER, SIGNATURE_HEADER, Secret, Verifier};
use sha2::{Digest, Sha256, block_api::compress256};
use zeroize::{Zeroize, Zeroizing};

/// Bytes to search for, kept inverted so that they are not found here.
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

    /// Whether it is in the writable memory of this process, except for the two stacks.
    fn is_in_memory(&self) -> bool {
        const WINDOW: usize = 1 << 16;

        let memory = File::open("/proc/self/mem").expect("Linux");
        let mut buffer = vec![0; WINDOW + 31];
        let own = buffer.as_ptr().addr()..buffer.as_ptr().addr() + buffer.len();
        let mut is_found = false;
        for line in fs::read_to_string("/proc/self/maps").expect("Linux").lines() {
            let (range, rest) = line.split_once(' ').expect("a mapping");
            let (start, end) = range.split_once('-').expect("a range");
            let [start, end] =
                [start, end].map(|text| usize::from_str_radix(text, 16).expect("an address"));
            // A pointer to a local tells which mapping is the stack of this thread.
            let is_stack =
                rest.ends_with("[stack]") || (start..end).contains(&(&raw const memory).addr());
            if !rest.starts_with("rw") || is_stack {
                continue;
            }
            for window in (start..end).step_by(WINDOW) {
                let length = (end - window).min(buffer.len());
                // Another test's memory may be gone meanwhile.
                let Ok(length) = memory.read_at(&mut buffer[..length], window as u64) else {
                    break;
                };
                is_found |= memchr_iter(!self.0[0], &buffer[..length.saturating_sub(31)])
                    .any(|at| self.is_at(&buffer[at..at + 32]) && !own.contains(&(window + at)));
                buffer.zeroize();
                buffer.resize(WINDOW + 31, 0);
            }
        }
        is_found
    }
}

/// One search at a time: each has a copy of what it searches.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// 32 bytes that are in no program.
fn random_bytes() -> [u8; 32] {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    Sha256::digest(format!("{now} {}", std::process::id())).into()
}

/// The states of HMAC-SHA256 after the key's block, as they lie in memory.
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
    assert!(plain.is_in_memory(), "the search finds the key while it is held");
    assert!(!states.iter().any(Needle::is_in_memory), "no state before there is a secret");

    let secret = Secret::new(key.as_slice()).unwrap();
    key.zeroize();
    assert!(!plain.is_in_memory(), "the key itself is not kept");

    let clone = secret.clone();
    let signature = secret.sign(1, b"{}");
    let verifier = Verifier::new(secret.clone()).or_secret(secret).any_age();
    let headers =
        DeliveryHeaders::parse([(SIGNATURE_HEADER, &*signature), (EVENT_HEADER, "ping")]).unwrap();
    verifier.verify(&headers, "{}".into()).unwrap();
    let abandoned = Box::new(verifier.begin(&headers).unwrap());
    drop(verifier);
    drop(abandoned);
    assert!(states.iter().all(Needle::is_in_memory), "the last clone holds the state");
    drop(clone);
    assert!(!states.iter().any(Needle::is_in_memory), "the state is wiped");
}

/// The test runs itself again, with a secret in its environment.
#[test]
fn a_secret_from_the_environment_leaves_no_copy() {
    const VARIABLE: &str = "PIERRE_WEBHOOK_TEST_SECRET";

    let read = || env::var_os(VARIABLE).map(|value| Zeroizing::new(value.into_encoded_bytes()));
    let Some(held) = read() else {
        let digits: String =
            random_bytes()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        let output = Command::new(env::current_exe().unwrap())
            .args(["--exact", "a_secret_from_the_environment_leaves_no_copy"])
            .env(VARIABLE, digits)
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && printed.contains("1 passed"), "{printed}");
        return;
    };
    let needle = Needle::new(held[..].try_into().expect("32 digits"));
    assert!(needle.is_in_memory(), "the search finds a copy that is held");
    drop(held);
    assert!(!needle.is_in_memory(), "the copy of this test is wiped");
    let secret = Secret::from_env(VARIABLE).unwrap();
    assert!(!needle.is_in_memory(), "the copy of `from_env` is wiped");
    drop(secret);
}
