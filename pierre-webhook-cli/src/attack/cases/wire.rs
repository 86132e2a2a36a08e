//! How the body is framed and sent: unusual ways that must be accepted, and ways that must not.

use pierre_webhook_core::SIGNATURE_HEADER;

use crate::{
    attack::{
        case::Case,
        raw_request::{Framing, RawRequest},
        request_maker::RequestMaker,
        verdict::Expectation,
    },
    payload::KnownEvent,
};

pub(super) const LEGAL_CASES: &[Case] = &[
    Case::new("wire-chunked", "a body in chunks", |maker| {
        Some(maker.good().framed(Framing::Chunked(100)))
    }),
    Case::new("wire-bytewise", "a body in chunks of one byte", |maker| {
        Some(maker.good().framed(Framing::Chunked(1)))
    }),
    Case::new("wire-slow", "a body in eight pieces, with pauses", |maker| {
        Some(maker.good().framed(Framing::Slow))
    }),
    Case::new("wire-split-character", "a body in two pieces, split within a character", |maker| {
        let (request, at) = with_character(maker)?;
        Some(request.framed(Framing::Split(at)))
    }),
    Case::new("wire-split-character-chunked", "chunks that split every character", |maker| {
        let (request, _) = with_character(maker)?;
        Some(request.framed(Framing::Chunked(1)))
    }),
];

pub(super) const CASES: &[Case] = &[
    Case::new("wire-4-tb-declared", "a Content-Length of 4 TB", |maker| {
        const LENGTH: u64 = 4 << 40;
        u64::try_from(maker.limit)
            .is_ok_and(|limit| limit < LENGTH)
            .then(|| maker.good().framed(Framing::Declared(LENGTH)))
    }),
    Case::new("wire-u64-declared", "a Content-Length just below the limit of a u64", |maker| {
        Some(maker.good().framed(Framing::Declared(u64::MAX.saturating_sub(2))))
    }),
    Case::new(
        "wire-oversized-declared",
        "a body one byte over the limit, with its length",
        |maker| maker.filled(1),
    ),
    Case::new("wire-oversized-chunked", "a body one byte over the limit, in chunks", |maker| {
        maker.filled(1).map(|request| request.framed(Framing::Chunked(16 << 10)))
    }),
    Case {
        name: "wire-truncated",
        about: "a body that breaks off halfway",
        make: |maker| Some(maker.good().framed(Framing::Truncated)),
        expected: Some(Expectation::NotAccepted),
    },
    Case::new("wire-oversized-forged", "an unsigned body over the limit", |maker| {
        maker.filled(1).map(|request| request.with_header(SIGNATURE_HEADER, "t=1,sha256=00"))
    }),
];

/// Makes a push to a branch whose name is not ASCII. Returns it with the position of a byte within a character.
fn with_character(maker: &RequestMaker) -> Option<(RawRequest, usize)> {
    let push =
        String::from_utf8(maker.body(KnownEvent::Push)).ok()?.replace("heads/main", "heads/日本");
    let at = push.find('日')?.checked_add(1)?;
    Some((maker.request("push", push), at))
}
