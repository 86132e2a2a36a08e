//! Hex digits.

use std::fmt::Write as _;

/// Encodes bytes as lower-case digits.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

/// Decodes digits of either case. Returns `None` for an odd number of them or any other character.
pub(crate) fn decode(digits: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|&[high, low]| Some(value(high)? << 4 | value(low)?)).collect()
}

fn value(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_encoded_in_lower_case_and_decoded_from_either() {
        assert_eq!(encode(b"\0\x5a\xff"), "005aff");
        assert_eq!(decode(b"005Aff").as_deref(), Some(&b"\0\x5a\xff"[..]));
        assert_eq!(decode(b""), Some(Vec::new()));
    }

    #[test]
    fn anything_else_is_not_hex() {
        for wrong in [&b"0"[..], b"0g", b"+5", b"0x", b"\xff\xff", "é".as_bytes()] {
            assert_eq!(decode(wrong), None, "{}", wrong.escape_ascii());
        }
    }
}
