//! The answer of a server, out of the bytes that came so far.

use serde::Deserialize;

use super::verdict::Got;
use crate::raw_http::{joined, next_line};

/// `None` while it is not whole. `is_end`: no more bytes will come.
pub(super) fn parse(bytes: &[u8], is_end: bool) -> Option<Got> {
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
        let (body, is_broken_off) = joined(rest).unwrap_or_default();
        let is_whole = !is_broken_off && rest.ends_with(b"0\r\n\r\n");
        (is_whole || is_end).then(|| body.to_vec())
    } else {
        let whole = length.and_then(|length: usize| rest.get(..length));
        // Without a length the end of the connection is that of the answer; a 204 has none.
        let has_none = [204, 304].contains(&status);
        whole.map(<[u8]>::to_vec).or_else(|| (is_end || has_none).then(|| rest.to_vec()))
    };
    body.map(|body| Got::Answer(status, detail(&body)))
}

fn status(line: &[u8]) -> Option<u16> {
    let mut words = str::from_utf8(line).ok()?.split(' ');
    words.next().filter(|version| version.starts_with("HTTP/1."))?;
    words.next()?.parse().ok()
}

/// The `detail` of problem details.
fn detail(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Problem {
        detail: String,
    }
    serde_json::from_slice::<Problem>(body).ok().map(|problem| problem.detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_by_its_length_its_chunks_or_its_end() {
        let with = |detail: &str| Some(Got::Answer(401, Some(detail.to_owned())));
        for (bytes, is_end, expected) in [
            ("HTTP/1.1 401 X\r\n", false, None),
            ("HTTP/1.1 401 X\r\ncontent-length: 14\r\n\r\n{\"detail\":\"a", false, None),
            ("HTTP/1.1 401 X\r\nContent-Length: 14\r\n\r\n{\"detail\":\"a\"}", false, with("a")),
            ("HTTP/1.1 100 C\r\n\r\nHTTP/1.1 204 X\r\n\r\n", false, Some(Got::Answer(204, None))),
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
