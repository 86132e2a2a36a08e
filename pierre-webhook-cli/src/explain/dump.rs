//! The dump of an HTTP/1 request, with lines that end in CRLF or LF.

use bytes::Bytes;

use super::request::RecordedRequest;
use crate::raw_http::{join_chunks, next_line};

/// Returns `None` if it doesn't start like a request.
pub(super) fn parse(bytes: &[u8]) -> Option<RecordedRequest> {
    let (line, mut rest) = next_line(bytes)?;
    if !is_request_line(line) {
        return None;
    }
    let mut headers = Vec::new();
    loop {
        // The dump may end within its head.
        let (line, after) = next_line(rest).unwrap_or((rest, &[]));
        rest = after;
        if line.is_empty() {
            break;
        }
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = (line.get(..colon)?, line.get(colon.saturating_add(1)..)?);
        headers
            .push((str::from_utf8(name).ok()?.to_ascii_lowercase(), value.trim_ascii().to_vec()));
    }
    let (body, is_incomplete) = body(&headers, rest);
    Some(RecordedRequest { at: None, headers, body, is_incomplete })
}

fn is_request_line(line: &[u8]) -> bool {
    let mut words = line.split(|byte| *byte == b' ');
    let method = words.next().unwrap_or_default();
    !method.is_empty()
        && method.iter().all(u8::is_ascii_uppercase)
        && words.next().is_some_and(|path| !path.is_empty())
        && words.next().is_some_and(|version| version.starts_with(b"HTTP/"))
}

/// Returns the body, and whether it is incomplete. Its framing separates it from what follows, such as a newline that
/// an editor added.
fn body(headers: &[(String, Vec<u8>)], rest: &[u8]) -> (Bytes, bool) {
    let header =
        |name: &str| headers.iter().find(|(other, _)| other == name).map(|(_, value)| value);
    if header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case(b"chunked"))
        // Many dumps hold the body without its chunk framing.
        && let Some(joined) = join_chunks(rest)
    {
        return joined;
    }
    let length =
        header("content-length").and_then(|value| str::from_utf8(value).ok()?.parse().ok());
    match length.map(|length: usize| rest.get(..length)) {
        Some(Some(body)) => (Bytes::copy_from_slice(body), false),
        Some(None) => (Bytes::copy_from_slice(rest), true),
        None => (Bytes::copy_from_slice(rest), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(dump: &str) -> Option<(String, bool)> {
        let request = parse(dump.as_bytes())?;
        Some((String::from_utf8(request.body.to_vec()).unwrap(), request.is_incomplete))
    }

    #[test]
    fn the_framing_of_a_dump_delimits_its_body() {
        let whole = |text: &str| Some((text.to_owned(), false));
        let incomplete = |text: &str| Some((text.to_owned(), true));
        for (dump, expected) in [
            ("POST / HTTP/1.1\r\nA: b\r\n\r\n{}\n", whole("{}\n")),
            ("POST / HTTP/1.1\nA: b\n\n{}", whole("{}")),
            ("POST / HTTP/1.1\nContent-Length: 2\n\n{}\n", whole("{}")),
            ("POST / HTTP/1.1\nContent-Length: 3\n\n{}", incomplete("{}")),
            (
                "POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n1\r\n{\r\n1;x\r\n}\r\n0\r\n\r\n",
                whole("{}"),
            ),
            ("POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n5\r\n{}", incomplete("{}")),
            ("POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n{\"a\":1}", whole("{\"a\":1}")),
            ("POST / HTTP/1.1\r\nA: b", whole("")),
            ("{}\n", None),
            ("hello world\n", None),
            ("POST / HTTP/1.1\nno header\n\n", None),
        ] {
            assert_eq!(body(dump), expected, "{dump:?}");
        }
        let request = parse(b"POST / HTTP/1.1\r\nX-Pierre-EVENT:  push \r\n\r\n").unwrap();
        assert_eq!(request.headers, [("x-pierre-event".to_owned(), b"push".to_vec())]);
    }
}
