//! Bodies that are not JSON, each correctly signed.

use crate::{
    attack::{case::Case, raw_request::RawRequest, request_maker::RequestMaker},
    payload::KnownEvent,
};

pub(super) const CASES: &[Case] = &[
    Case::new("json-empty", "no body", |maker| Some(maker.request("push", ""))),
    Case::new("json-blank", "only white space", |maker| Some(maker.request("push", " \n"))),
    Case::new("json-form", "a form", |maker| Some(maker.request("push", "ref=refs/heads/main"))),
    Case::new("json-cut", "truncated JSON", |maker| {
        let mut body = maker.body(KnownEvent::Push);
        body.pop();
        Some(maker.request("push", body))
    }),
    Case::new("json-two", "two JSON values", |maker| Some(around(maker, b"", b"{}"))),
    Case::new("json-nul", "a NUL byte after the JSON", |maker| Some(around(maker, b"", b"\0"))),
    Case::new("json-bom", "a byte order mark before the JSON", |maker| {
        Some(around(maker, b"\xef\xbb\xbf", b""))
    }),
    Case::new("json-not-utf8", "a byte that is not UTF-8", |maker| {
        Some(maker.request("unknown", b"{\"a\":\"\xff\"}"))
    }),
    Case::new("json-not-utf8-cut", "half of a UTF-8 character", |maker| {
        Some(maker.request("unknown", b"{\"a\":\"\xc3\"}"))
    }),
    Case::new("json-utf16", "UTF-16", |maker| {
        let body = String::from_utf8(maker.body(KnownEvent::Push)).ok()?;
        let units: Vec<u8> = body.encode_utf16().flat_map(u16::to_le_bytes).collect();
        Some(maker.request("push", [b"\xff\xfe", &units[..]].concat()))
    }),
    Case::new("json-nan", "NaN", |maker| Some(maker.request("unknown", "NaN"))),
    Case::new("json-infinity", "Infinity", |maker| Some(maker.request("unknown", "[-Infinity]"))),
    Case::new("json-comment", "a comment", |maker| Some(maker.request("unknown", "{} // x"))),
    Case::new("json-trailing-comma", "a trailing comma", |maker| {
        Some(maker.request("unknown", "[1,]"))
    }),
    Case::new("json-single-quotes", "single quotes", |maker| {
        Some(maker.request("unknown", "{'a':1}"))
    }),
    Case::new("json-deep-cut", "100,000 brackets that are never closed", |maker| {
        const DEPTH: usize = 100_000;
        (DEPTH <= maker.limit).then(|| maker.request("unknown", "[".repeat(DEPTH)))
    }),
];

fn around(maker: &RequestMaker, before: &[u8], after: &[u8]) -> RawRequest {
    maker.request("push", [before, &maker.body(KnownEvent::Push)[..], after].concat())
}
