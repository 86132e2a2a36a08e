//! HMAC-SHA256 over what core would not sign: for the search of `explain` and the forgeries of `attack`.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// `None` for a key that HMAC does not take; it takes all.
pub(crate) fn mac(key: &[u8], before: &[u8], body: &[u8]) -> Option<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(before);
    mac.update(body);
    Some(mac.finalize().into_bytes().into())
}
