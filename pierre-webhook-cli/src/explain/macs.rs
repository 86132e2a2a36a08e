//! The MACs in a signature header, in hex or by mistake in base64.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use pierre_webhook_core::Signature;

use crate::hex;

/// Returns the timestamp as it is spelled, and the values that can be a MAC. Returns `None` if there are none.
pub(super) fn parse(value: &[u8]) -> Option<(String, Vec<[u8; 32]>)> {
    let signature = Signature::parse(value).ok()?;
    let timestamp = str::from_utf8(value)
        .ok()?
        .split(',')
        .filter_map(|element| element.trim_matches([' ', '\t']).split_once('='))
        .find_map(|(key, value)| (key == "t").then(|| value.to_owned()))?;
    let macs: Vec<_> =
        signature.sha256().filter_map(|value| mac(value.trim_end_matches('='))).collect();
    (!macs.is_empty()).then_some((timestamp, macs))
}

fn mac(value: &str) -> Option<[u8; 32]> {
    let decoded = if value.len() == 64 {
        hex::decode(value.as_bytes())
    } else {
        STANDARD_NO_PAD.decode(value).or_else(|_| URL_SAFE_NO_PAD.decode(value)).ok()
    };
    decoded?.try_into().ok()
}
