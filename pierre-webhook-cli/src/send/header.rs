//! The argument `--header 'Name: value'`.

use std::str::FromStr;

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING},
};

use crate::client::retain;

/// A header to send, or to remove if it has no value.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    name: HeaderName,
    value: Option<HeaderValue>,
}

impl FromStr for Header {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once(':').ok_or("not 'Name: value'")?;
        let name: HeaderName = name.parse().map_err(|_| "not a header name")?;
        if [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING].contains(&name) {
            return Err("this header is set by the client: see --chunked and the command `attack`"
                .to_owned());
        }
        let value = match value.trim_matches([' ', '\t']) {
            "" => None,
            value => Some(HeaderValue::from_str(value).map_err(|_| "not a header value")?),
        };
        Ok(Self { name, value })
    }
}

/// Replaces headers by the given ones of the same name.
pub(crate) fn apply(headers: &HeaderMap, given: &[Header]) -> HeaderMap {
    let mut headers = retain(headers, |name| given.iter().all(|header| header.name != *name));
    for header in given {
        if let Some(value) = &header.value {
            headers.append(&header.name, value.clone());
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_header_replaces_the_default_one_or_removes_it() {
        let mut headers = HeaderMap::new();
        headers.insert("user-agent", HeaderValue::from_static("usual"));
        headers.insert("x-pierre-event", HeaderValue::from_static("push"));
        let given: Vec<Header> = ["User-Agent: a", "user-agent:\tb ", "X-Pierre-Event:"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        let headers = apply(&headers, &given);
        let left: Vec<_> =
            headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(left, [("user-agent", "a"), ("user-agent", "b")]);
        for wrong in ["a", "a b: c", "a: b\nc", "Content-Length: 5"] {
            assert!(wrong.parse::<Header>().is_err(), "{wrong}");
        }
    }
}
