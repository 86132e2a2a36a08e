//! Malformed, old and future timestamps, each correctly signed.

use crate::attack::{
    case::Case,
    raw_request::{RawRequest, signature},
    request_maker::RequestMaker,
};

pub(super) const CASES: &[Case] = &[
    Case::new("timestamp-letters", "digits and letters", |maker| Some(changed(maker, "", "abc"))),
    Case::new("timestamp-fraction", "a fraction of a second", |maker| {
        Some(changed(maker, "", ".5"))
    }),
    Case::new("timestamp-plus", "a plus sign", |maker| Some(changed(maker, "+", ""))),
    Case::new("timestamp-negative", "a minus sign", |maker| Some(changed(maker, "-", ""))),
    Case::new("timestamp-hex", "hex digits", |maker| Some(changed(maker, "0x", ""))),
    Case::new("timestamp-exponent", "an exponent", |maker| Some(changed(maker, "", "e0"))),
    Case::new("timestamp-underscore", "an underscore", |maker| Some(changed(maker, "1_", ""))),
    Case::new("timestamp-space", "a space between the digits", |maker| {
        Some(changed(maker, "1 ", ""))
    }),
    Case::new("timestamp-i64-overflow", "a timestamp over the range of an i64", |maker| {
        Some(maker.with_timestamp("9223372036854775808", signature))
    }),
    Case::new("timestamp-u64-overflow", "a timestamp over the range of a u64", |maker| {
        Some(maker.with_timestamp("18446744073709551616", signature))
    }),
    Case::new("age-zero", "signed in 1970", |maker| Some(maker.with_timestamp("0", signature))),
    Case::new("age-too-old", "signed slightly too long ago", |maker| {
        let oldest = i64::try_from(maker.max_age.as_secs()).ok()?;
        Some(maker.aged(oldest.checked_add(10)?))
    }),
    Case::new("age-a-day", "signed a day too long ago", |maker| {
        let oldest = i64::try_from(maker.max_age.as_secs()).ok()?;
        Some(maker.aged(oldest.checked_add(86_400)?))
    }),
    Case::new("ahead-too-far", "signed by a clock 80 seconds ahead", |maker| Some(maker.aged(-80))),
    Case::new("ahead-an-hour", "signed by a clock an hour ahead", |maker| Some(maker.aged(-3600))),
    Case::new("ahead-milliseconds", "a timestamp in milliseconds", |maker| {
        Some(maker.with_timestamp(&format!("{}000", maker.now(0)), signature))
    }),
    Case::new("ahead-i64-max", "the largest i64 as the timestamp", |maker| {
        Some(maker.with_timestamp("9223372036854775807", signature))
    }),
];

fn changed(maker: &RequestMaker, before: &str, after: &str) -> RawRequest {
    maker.with_timestamp(&format!("{before}{}{after}", maker.now(0)), signature)
}
