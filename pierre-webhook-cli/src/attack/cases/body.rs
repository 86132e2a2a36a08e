//! Bodies that are no JSON, each signed as it stands.

use super::{Case, case};
use crate::{
    attack::maker::{Maker, Request},
    send::Known,
};

pub(super) const CASES: &[Case] = &[
    case("json-empty", "no body", |maker| Some(maker.request("push", ""))),
    case("json-blank", "white space alone", |maker| Some(maker.request("push", " \n"))),
    case("json-form", "a form", |maker| Some(maker.request("push", "ref=refs/heads/main"))),
    case("json-cut", "JSON that is cut off", |maker| {
        let mut body = maker.body(Known::Push);
        body.pop();
        Some(maker.request("push", body))
    }),
    case("json-two", "two values", |maker| Some(around(maker, b"", b"{}"))),
    case("json-nul", "a zero byte behind it", |maker| Some(around(maker, b"", b"\0"))),
    case("json-bom", "a byte order mark", |maker| Some(around(maker, b"\xef\xbb\xbf", b""))),
    case("json-not-utf8", "a byte that is no UTF-8", |maker| {
        Some(maker.request("unknown", b"{\"a\":\"\xff\"}"))
    }),
    case("json-not-utf8-cut", "a character that is cut in half", |maker| {
        Some(maker.request("unknown", b"{\"a\":\"\xc3\"}"))
    }),
    case("json-utf16", "UTF-16", |maker| {
        let body = String::from_utf8(maker.body(Known::Push)).ok()?;
        let units: Vec<u8> = body.encode_utf16().flat_map(u16::to_le_bytes).collect();
        Some(maker.request("push", [b"\xff\xfe", &units[..]].concat()))
    }),
    case("json-nan", "NaN", |maker| Some(maker.request("unknown", "NaN"))),
    case("json-infinity", "Infinity", |maker| Some(maker.request("unknown", "[-Infinity]"))),
    case("json-comment", "a comment", |maker| Some(maker.request("unknown", "{} // x"))),
    case("json-trailing-comma", "a comma too many", |maker| Some(maker.request("unknown", "[1,]"))),
    case("json-single-quotes", "single quotes", |maker| Some(maker.request("unknown", "{'a':1}"))),
    case("json-deep-cut", "100,000 brackets that are never closed", |maker| {
        const DEPTH: usize = 100_000;
        (DEPTH <= maker.limit).then(|| maker.request("unknown", "[".repeat(DEPTH)))
    }),
];

fn around(maker: &Maker, before: &[u8], after: &[u8]) -> Request {
    maker.request("push", [before, &maker.body(Known::Push)[..], after].concat())
}
