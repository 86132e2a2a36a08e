//! Timestamps that are none, too old, or ahead; each is signed as it stands.

use super::{Case, case};
use crate::attack::maker::{Maker, Request, signature};

pub(super) const CASES: &[Case] = &[
    case("timestamp-letters", "digits and letters", |maker| Some(changed(maker, "", "abc"))),
    case("timestamp-fraction", "a fraction of a second", |maker| Some(changed(maker, "", ".5"))),
    case("timestamp-plus", "a plus sign", |maker| Some(changed(maker, "+", ""))),
    case("timestamp-negative", "a minus sign", |maker| Some(changed(maker, "-", ""))),
    case("timestamp-hex", "hex digits", |maker| Some(changed(maker, "0x", ""))),
    case("timestamp-exponent", "an exponent", |maker| Some(changed(maker, "", "e0"))),
    case("timestamp-underscore", "an underscore", |maker| Some(changed(maker, "1_", ""))),
    case("timestamp-space", "a space inside", |maker| Some(changed(maker, "1 ", ""))),
    case("timestamp-i64-overflow", "more than an i64 holds", |maker| {
        Some(maker.with_timestamp("9223372036854775808", signature))
    }),
    case("timestamp-u64-overflow", "more than a u64 holds", |maker| {
        Some(maker.with_timestamp("18446744073709551616", signature))
    }),
    case("age-zero", "signed in 1970", |maker| Some(maker.with_timestamp("0", signature))),
    case("age-too-old", "signed just too long ago", |maker| {
        let oldest = i64::try_from(maker.max_age.as_secs()).ok()?;
        Some(maker.aged(oldest.checked_add(10)?))
    }),
    case("age-a-day", "signed a day before the oldest that is accepted", |maker| {
        let oldest = i64::try_from(maker.max_age.as_secs()).ok()?;
        Some(maker.aged(oldest.checked_add(86_400)?))
    }),
    case("ahead-too-far", "signed by a clock that is 80 seconds ahead", |maker| {
        Some(maker.aged(-80))
    }),
    case("ahead-an-hour", "signed by a clock that is an hour ahead", |maker| {
        Some(maker.aged(-3600))
    }),
    case("ahead-milliseconds", "a timestamp in milliseconds", |maker| {
        Some(maker.with_timestamp(&format!("{}000", maker.now(0)), signature))
    }),
    case("ahead-i64-max", "the latest timestamp that an i64 holds", |maker| {
        Some(maker.with_timestamp("9223372036854775807", signature))
    }),
];

fn changed(maker: &Maker, before: &str, after: &str) -> Request {
    maker.with_timestamp(&format!("{before}{}{after}", maker.now(0)), signature)
}
