//! The MAC of a body, whole or streamed, and the `sha256` values that it is compared with (rule 5).

use ctutils::CtEq;
use hmac::{
    KeyInit,
    block_api::HmacCore,
    digest::{
        Output,
        block_api::{Block, Buffer, FixedOutputCore, UpdateCore},
    },
};
use sha2::Sha256;

use crate::{hex, signature::Signature};

/// The HMAC-SHA256 key state of one secret.
pub(crate) struct Key(HmacCore<Sha256>);

impl Key {
    pub(crate) fn new(secret: &[u8]) -> Self {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        Self(HmacCore::new_from_slice(secret).expect("HMAC takes a key of any length"))
    }

    /// Starts a MAC with the timestamp, as written in the header, and the dot.
    #[inline]
    pub(crate) fn start(&self, timestamp: &[u8]) -> Mac {
        let mut mac = Mac { core: self.0.clone(), buffer: Buffer::<HmacCore<Sha256>>::default() };
        mac.update(timestamp);
        mac.update(b".");
        mac
    }

    /// Computes the MAC of a whole body, which is hashed in place instead of through a buffer.
    pub(crate) fn mac(&self, timestamp: &[u8], body: &[u8]) -> [u8; 32] {
        let Some((block, rest)) = first_block(timestamp, body) else {
            let mut mac = self.start(timestamp);
            mac.update(body);
            return mac.finish();
        };
        let (blocks, tail) = Block::<Sha256>::slice_as_chunks(rest);
        let mut core = self.0.clone();
        let mut mac = Output::<Sha256>::default();
        core.update_blocks(&[block]);
        core.update_blocks(blocks);
        core.finalize_fixed_core(&mut Buffer::<HmacCore<Sha256>>::new(tail), &mut mac);
        mac.into()
    }
}

/// The first block of what is signed, and the rest of the body. `None` if that doesn't fill a block, or if
/// the timestamp has so many leading zeros that it fills one by itself.
fn first_block<'a>(timestamp: &[u8], body: &'a [u8]) -> Option<(Block<Sha256>, &'a [u8])> {
    let mut block = Block::<Sha256>::default();
    let (start, after) = block.split_at_mut_checked(timestamp.len())?;
    let (dot, head) = after.split_first_mut()?;
    let (body_head, rest) = body.split_at_checked(head.len())?;
    start.copy_from_slice(timestamp);
    *dot = b'.';
    head.copy_from_slice(body_head);
    Some((block, rest))
}

/// A running MAC over the timestamp, the dot and the body. It is finished in place, since a move would copy its
/// state.
pub(crate) struct Mac {
    core: HmacCore<Sha256>,
    buffer: Buffer<HmacCore<Sha256>>,
}

impl Mac {
    #[inline]
    pub(crate) fn update(&mut self, chunk: &[u8]) {
        self.buffer.digest_blocks(chunk, |blocks| self.core.update_blocks(blocks));
    }

    #[inline]
    pub(crate) fn finish(&mut self) -> [u8; 32] {
        let mut mac = Output::<Sha256>::default();
        self.core.finalize_fixed_core(&mut self.buffer, &mut mac);
        mac.into()
    }
}

/// The `sha256` values of a signature that are 64 hex digits, decoded: at least one, at most eight.
pub(crate) struct Candidates {
    first: [u8; 32],
    // Empty (and unallocated) unless the sender signs with several secrets.
    rest: Vec<[u8; 32]>,
}

impl Candidates {
    /// Returns `None` if no value is well formed, since then no body can match.
    pub(crate) fn decode(signature: &Signature<'_>) -> Option<Self> {
        let mut decoded = signature.sha256_bytes().filter_map(hex::decode);
        Some(Self { first: decoded.next()?, rest: decoded.collect() })
    }

    /// Returns true if the MAC is among them. It is compared with each one, in constant time.
    #[inline]
    pub(crate) fn contain(&self, mac: &[u8; 32]) -> bool {
        let first = mac.ct_eq(&self.first);
        self.rest.iter().fold(first, |found, other| found | mac.ct_eq(other)).to_bool()
    }
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, Mac as _};

    use super::*;

    #[test]
    fn the_mac_is_the_hmac_of_timestamp_dot_and_body_whole_or_streamed() {
        let key = Key::new(b"secret");
        let bytes: Vec<u8> = (0..=255).collect();
        for timestamp in [1, 10, 52, 53, 62, 63, 64, 65, 130] {
            let timestamp = "0".repeat(timestamp);
            for body in (0..=bytes.len()).map(|length| &bytes[..length]) {
                let mut official = Hmac::<Sha256>::new_from_slice(b"secret").unwrap();
                official.update(format!("{timestamp}.").as_bytes());
                official.update(body);
                let official: [u8; 32] = official.finalize().into_bytes().into();
                assert_eq!(key.mac(timestamp.as_bytes(), body), official);
                let mut streamed = key.start(timestamp.as_bytes());
                body.chunks(7).for_each(|chunk| streamed.update(chunk));
                assert_eq!(streamed.finish(), official);
            }
        }
    }
}
