//! 32 bytes as 64 hex digits: MACs and delivery ids.

/// Digits of any case; exactly 64 of them.
pub(crate) fn decode(digits: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let decoded = base16ct::mixed::decode(digits, &mut bytes).ok()?;
    (decoded.len() == 32).then_some(bytes)
}

pub(crate) fn encode(bytes: &[u8; 32]) -> String {
    base16ct::lower::encode_string(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_64_hex_digits_are_32_bytes() {
        let digits = "0123456789abcdefABCDEF00112233445566778899aabbccddeeff0011223344";
        let bytes = decode(digits).unwrap();
        assert_eq!(bytes[8], 0xab);
        assert_eq!(encode(&bytes), digits.to_lowercase());
        assert_eq!(decode(&digits[..62]), None);
        assert_eq!(decode(&digits[..63]), None);
        assert_eq!(decode(&format!("{digits}00")), None);
        assert_eq!(decode(&digits.replace('0', "g")), None);
        assert_eq!(decode(""), None);
    }
}
