//! Faults of the wire, and framings that are none.

use super::{Case, case};
use crate::{
    attack::{
        maker::{Framing, Maker, Request},
        verdict::Expected,
    },
    send::Known,
};

/// Bodies over the limit are not made where that is larger.
const LARGEST: usize = 64 << 20;

pub(super) const CASES: &[Case] = &[
    case("wire-chunked", "a body in chunks", |maker| {
        Some(maker.good().framed(Framing::Chunked(100)))
    }),
    case("wire-bytewise", "a body in chunks of one byte", |maker| {
        Some(maker.good().framed(Framing::Chunked(1)))
    }),
    case("wire-slow", "a body in eight pieces with pauses", |maker| {
        Some(maker.good().framed(Framing::Slow))
    }),
    case("wire-split-character", "a body in two pieces, split inside of a character", |maker| {
        let (request, at) = with_character(maker)?;
        Some(request.framed(Framing::Split(at)))
    }),
    case("wire-split-character-chunked", "chunks that split every character", |maker| {
        let (request, _) = with_character(maker)?;
        Some(request.framed(Framing::Chunked(1)))
    }),
    case("wire-4-tb-declared", "a Content-Length of 4 TB", |maker| {
        const LENGTH: u64 = 4 << 40;
        u64::try_from(maker.limit)
            .is_ok_and(|limit| limit < LENGTH)
            .then(|| maker.good().framed(Framing::Declared(LENGTH)))
    }),
    case("wire-u64-declared", "a Content-Length that a u64 just holds", |maker| {
        Some(maker.good().framed(Framing::Declared(u64::MAX.saturating_sub(2))))
    }),
    case(
        "wire-oversized-declared",
        "a body one byte over the limit, its length declared",
        oversized,
    ),
    case("wire-oversized-chunked", "a body one byte over the limit, in chunks", |maker| {
        oversized(maker).map(|request| request.framed(Framing::Chunked(16 << 10)))
    }),
    Case {
        name: "wire-truncated",
        about: "a body that ends in its middle",
        make: |maker| Some(maker.good().framed(Framing::Truncated)),
        expected: Some(Expected::NotAccepted),
    },
    case("wire-oversized-forged", "a body over the limit that is not signed", |maker| {
        oversized(maker).map(|request| request.with_header("x-pierre-signature", "t=1,sha256=00"))
    }),
];

fn oversized(maker: &Maker) -> Option<Request> {
    let body = maker.body(Known::Push);
    let room = maker.limit.checked_sub(body.len())?.checked_add(1)?;
    (maker.limit <= LARGEST).then(|| maker.request("push", [body, vec![b' '; room]].concat()))
}

/// A push to a branch whose name is not ASCII, and the place inside of a character of it.
fn with_character(maker: &Maker) -> Option<(Request, usize)> {
    let push = String::from_utf8(maker.body(Known::Push)).ok()?.replace("heads/main", "heads/日本");
    let at = push.find('日')?.checked_add(1)?;
    Some((maker.request("push", push), at))
}
