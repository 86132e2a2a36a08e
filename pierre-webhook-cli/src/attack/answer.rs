//! Parses a server's answer from the bytes that have arrived.

use super::verdict::Reaction;
use crate::{
    problem,
    raw_http::{join_chunks, next_line},
};

/// Returns `None` while the answer is incomplete. `is_end` says that no more bytes will arrive.
pub(super) fn parse(bytes: &[u8], is_end: bool) -> Option<Reaction> {
    let (line, mut rest) = next_line(bytes)?;
    let status = status(line)?;
    let mut length = None;
    let mut is_chunked = false;
    loop {
        let (line, after) = next_line(rest)?;
        rest = after;
        if line.is_empty() {
            break;
        }
        let line = String::from_utf8_lossy(line).to_ascii_lowercase();
        match line.split_once(':') {
            Some(("content-length", value)) => length = value.trim().parse().ok(),
            Some(("transfer-encoding", value)) => is_chunked = value.contains("chunked"),
            _ => {}
        }
    }
    if (100..200).contains(&status) {
        return parse(rest, is_end);
    }
    let body = if is_chunked {
        let (body, is_incomplete) = join_chunks(rest).unwrap_or_default();
        let is_complete = !is_incomplete && rest.ends_with(b"0\r\n\r\n");
        (is_complete || is_end).then(|| body.to_vec())
    } else {
        let complete = length.and_then(|length: usize| rest.get(..length));
        // Without a length, the answer ends with the connection. A 204 or 304 has no body.
        let is_bodiless = [204, 304].contains(&status);
        complete.map(<[u8]>::to_vec).or_else(|| (is_end || is_bodiless).then(|| rest.to_vec()))
    };
    body.map(|body| Reaction::Answer(status, problem::detail(&body)))
}

fn status(line: &[u8]) -> Option<u16> {
    let mut words = str::from_utf8(line).ok()?.split(' ');
    words.next().filter(|version| version.starts_with("HTTP/1."))?;
    words.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_complete_by_its_length_its_last_chunk_or_the_end_of_the_connection() {
        let with = |detail: &str| Some(Reaction::Answer(401, Some(detail.to_owned())));
        for (bytes, is_end, expected) in [
            ("HTTP/1.1 401 X\r\n", false, None),
            ("HTTP/1.1 401 X\r\ncontent-length: 14\r\n\r\n{\"detail\":\"a", false, None),
            ("HTTP/1.1 401 X\r\nContent-Length: 14\r\n\r\n{\"detail\":\"a\"}", false, with("a")),
            (
                "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 204 X\r\n\r\n",
                false,
                Some(Reaction::Answer(204, None)),
            ),
            ("HTTP/1.1 401 X\r\n\r\n{\"detail\":\"a\"}", false, None),
            ("HTTP/1.1 401 X\r\n\r\n{\"detail\":\"a\"}", true, with("a")),
            (
                "HTTP/1.1 401 X\r\ntransfer-encoding: chunked\r\n\r\ne\r\n{\"detail\":\"a\"}\r\n",
                false,
                None,
            ),
            (
                "HTTP/1.1 401 X\r\ntransfer-encoding: chunked\r\n\r\ne\r\n{\"detail\":\"a\"}\r\n0\r\n\r\n",
                false,
                with("a"),
            ),
            ("nonsense\r\n\r\n", true, None),
        ] {
            assert_eq!(parse(bytes.as_bytes(), is_end), expected, "{bytes:?}");
        }
    }
}
