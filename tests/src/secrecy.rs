//! Checks that what was printed contains no secret.

/// Returns the MACs of a signature header, as digits and as bytes.
pub fn macs(signature: &str) -> Vec<Vec<u8>> {
    let values = signature.split(',').filter_map(|element| element.trim().strip_prefix("sha256="));
    let macs = values.filter(|digits| digits.len() == 64);
    macs.flat_map(|digits| {
        let byte = |at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        let bytes: Option<Vec<u8>> = (0..64).step_by(2).map(byte).collect();
        [Some(digits.into()), bytes]
    })
    .flatten()
    .collect()
}

/// Checks that no secret was printed: as text, as hex digits, or as a derived `Debug` prints bytes (a list of
/// numbers, possibly one per line).
pub fn assert_prints_none(printed: &str, secrets: &[Vec<u8>]) {
    let packed: String = printed.split_whitespace().collect();
    for secret in secrets {
        let form = |byte_as: fn(&u8) -> String, between| {
            secret.iter().map(byte_as).collect::<Vec<_>>().join(between)
        };
        let (hex, list) = (form(|byte| format!("{byte:02x}"), ""), form(u8::to_string, ","));
        let is_there = packed.contains(&hex)
            || packed.contains(&list)
            || str::from_utf8(secret).is_ok_and(|text| printed.contains(text));
        assert!(!is_there, "{} in {printed}", secret.escape_ascii());
    }
}
