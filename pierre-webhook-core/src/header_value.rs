//! Header values, as bytes: treating them as text would cost a UTF-8 check each time.

/// Returns true if all bytes are visible ASCII, spaces or tabs (rule 1). No early exit, so that the compiler can
/// vectorize it.
pub(crate) fn is_visible(value: &[u8]) -> bool {
    value.iter().fold(true, |visible, byte| visible & matches!(byte, b'\t' | b' '..=b'~'))
}

/// Removes the spaces and tabs around a value: the white space of HTTP headers.
pub(crate) fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// Parses ASCII digits. Returns `None` for anything else, and `u128::MAX` for a number too large for a `u64`.
pub(crate) fn decimal(digits: &[u8]) -> Option<u128> {
    /// Any number of this many digits fits a `u64`.
    const SHORT: usize = 19;

    let mut are_digits = !digits.is_empty();
    let mut short = 0_u64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        are_digits &= digit < 10;
        short = short.wrapping_mul(10).wrapping_add(digit.into());
    }
    if !are_digits {
        return None;
    }
    if digits.len() <= SHORT {
        return Some(short.into());
    }
    let value = str::from_utf8(digits).ok()?.parse::<u64>();
    Some(value.map_or(u128::MAX, u128::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_parses_only_digits() {
        for (digits, value) in [
            ("0", Some(0)),
            ("1790000000", Some(1_790_000_000)),
            ("9999999999999999999", Some(9_999_999_999_999_999_999)),
            ("18446744073709551615", Some(u64::MAX.into())),
            ("18446744073709551616", Some(u128::MAX)),
            ("000000000000000000000000000007", Some(7)),
            ("", None),
            ("+1", None),
            ("1_0", None),
            ("1 ", None),
            ("1:", None),
            ("/1", None),
            ("٣", None),
        ] {
            assert_eq!(decimal(digits.as_bytes()), value, "{digits}");
        }
    }

    #[test]
    fn only_visible_ascii_space_and_tab_are_visible() {
        for byte in 0..=u8::MAX {
            let expected = byte == b'\t' || (0x20..0x7f).contains(&byte);
            assert_eq!(is_visible(&[b'a', byte, b'b']), expected, "{byte:#x}");
        }
    }

    #[test]
    fn spaces_and_tabs_are_trimmed_and_nothing_else() {
        assert_eq!(trim(b" \t a b\t "), b"a b");
        assert_eq!(trim(b"\na\x0b"), b"\na\x0b");
        assert_eq!(trim(b" \t "), b"");
    }
}
