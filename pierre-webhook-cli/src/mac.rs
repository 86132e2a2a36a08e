//! HMAC-SHA256 over content that core does not sign, for the search of `explain` and the forgeries of `attack`.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Computes the MAC of `prefix` followed by `body`. It is `Some` for every key: HMAC takes keys of any length.
pub(crate) fn mac(key: &[u8], prefix: &[u8], body: &[u8]) -> Option<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(prefix);
    mac.update(body);
    Some(mac.finalize().into_bytes().into())
}
