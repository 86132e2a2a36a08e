//! A body in pieces.

use bytes::Bytes;

/// How a body arrives: each byte is the size of a chunk, counted from `0`; the last chunk is all the rest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chunks {
    pub sizes: Vec<u8>,
}

impl Chunks {
    pub fn split(&self, mut body: &[u8]) -> Vec<Bytes> {
        let mut chunks = Vec::new();
        for size in &self.sizes {
            chunks.push(take(&mut body, *size));
        }
        // Each in an allocation of its own, so that the sanitizer sees what reads over its end.
        chunks.push(Bytes::copy_from_slice(body));
        chunks
    }
}

/// Takes a chunk of the size that a byte stands for.
pub(crate) fn take(body: &mut &[u8], size: u8) -> Bytes {
    let size = usize::from(size.wrapping_sub(b'0')).min(body.len());
    let (chunk, rest) = body.split_at(size);
    *body = rest;
    Bytes::copy_from_slice(chunk)
}
