//! HTTP/1 as bytes, for messages that an HTTP library would reject or hide.

use bytes::Bytes;

/// Splits off the first line. Returns it without its line ending, and the rest.
pub(crate) fn next_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (line, rest) = bytes.split_at_checked(end)?;
    Some((line.strip_suffix(b"\r").unwrap_or(line), rest.get(1..)?))
}

/// Joins the chunks of a chunked body. Returns the body, and whether it is incomplete; `None` if these are not chunks.
pub(crate) fn join_chunks(mut rest: &[u8]) -> Option<(Bytes, bool)> {
    let mut body = Vec::new();
    loop {
        let Some((line, after)) = next_line(rest) else {
            return if body.is_empty() { None } else { Some((body.into(), true)) };
        };
        let size = line.split(|byte| *byte == b';').next()?;
        let size = usize::from_str_radix(str::from_utf8(size).ok()?.trim(), 16).ok()?;
        if size == 0 {
            return Some((body.into(), false));
        }
        let Some(chunk) = after.get(..size) else {
            body.extend_from_slice(after);
            return Some((body.into(), true));
        };
        body.extend_from_slice(chunk);
        rest = next_line(after.get(size..)?).map_or(&[], |(_, rest)| rest);
    }
}
