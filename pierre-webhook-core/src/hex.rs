//! 32 bytes as 64 hex digits: MACs and delivery ids.

/// Decodes exactly 64 digits, in upper or lower case.
///
/// No branch depends on a digit. It isn't inlined, because the compiler vectorizes it only as a function of its own.
#[inline(never)]
pub(crate) fn decode(digits: &[u8]) -> Option<[u8; 32]> {
    let values = <[u8; 64]>::try_from(digits).ok()?.map(value);
    let is_hex = values.iter().fold(true, |is_hex, value| is_hex & (*value < 16));
    let mut bytes = [0; 32];
    for (byte, [high, low]) in bytes.iter_mut().zip(values.as_chunks().0) {
        *byte = high << 4 | low;
    }
    is_hex.then_some(bytes)
}

pub(crate) fn encode(bytes: &[u8; 32]) -> String {
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Returns 0 to 15, or a larger value if the byte isn't a hex digit.
fn value(digit: u8) -> u8 {
    let decimal = digit.wrapping_sub(b'0');
    let letter = (digit | 0x20).wrapping_sub(b'a');
    if decimal < 10 {
        decimal
    } else if letter < 6 {
        letter.wrapping_add(10)
    } else {
        u8::MAX
    }
}

fn digit(value: u8) -> char {
    char::from_digit(value.into(), 16).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_64_hex_digits_are_32_bytes() {
        let digits = "0123456789abcdefABCDEF00112233445566778899aabbccddeeff0011223344";
        let bytes = decode(digits.as_bytes()).unwrap();
        assert_eq!((bytes[0], bytes[8], bytes[31]), (0x01, 0xab, 0x44));
        assert_eq!(encode(&bytes), digits.to_lowercase());
        for other in [&digits[..62], &digits[..63], &format!("{digits}00"), ""] {
            assert_eq!(decode(other.as_bytes()), None);
        }
    }

    #[test]
    fn two_wrong_digits_do_not_make_a_right_one() {
        assert_eq!(decode(format!("gg{}", "0".repeat(62)).as_bytes()), None);
    }

    #[test]
    fn only_the_22_hex_digits_are_hex_digits() {
        for byte in 0..=u8::MAX {
            let mut digits = [b'0'; 64];
            digits[63] = byte;
            let last = decode(&digits).map(|bytes| u32::from(bytes[31]));
            assert_eq!(last, char::from(byte).to_digit(16), "{byte:#x}");
        }
    }
}
