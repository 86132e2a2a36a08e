//! Requests to send.

use bytes::Bytes;
use http::{
    Extensions, HeaderMap, HeaderName, HeaderValue, Method, Request,
    header::{
        CONNECTION, CONTENT_LENGTH, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
        TRANSFER_ENCODING, UPGRADE,
    },
};

use super::{body::Body, target::Target};

/// A request without its target.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    /// `Host` defaults to the target's. The client sets the headers that concern the connection.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Send the body in chunks, without a `Content-Length`.
    pub(crate) is_chunked: bool,
    /// For a received request, hyper keeps the spelling of its header names here.
    pub(crate) extensions: Extensions,
}

impl Outgoing {
    /// Forwards a received request, without the headers that concern the connection it arrived on.
    pub(crate) fn forwarded(
        method: Method,
        headers: &HeaderMap,
        body: Bytes,
        extensions: Extensions,
    ) -> Self {
        let is_chunked = headers.contains_key(TRANSFER_ENCODING);
        let headers = retain(&without_connection_headers(headers), |name| name != HOST);
        Self { method, headers, body, is_chunked, extensions }
    }

    pub(super) fn into_request(self, target: &Target) -> Result<Request<Body>, http::Error> {
        let mut request = Request::builder().method(self.method).uri(target.path()).body(())?;
        let length = self.body.len();
        let headers = request.headers_mut();
        headers.try_insert(HOST, target.host_header())?;
        for (name, value) in &self.headers {
            if name == HOST {
                headers.try_insert(HOST, value.clone())?;
            } else {
                headers.try_append(name, value.clone())?;
            }
        }
        if !self.is_chunked {
            headers.try_insert(CONTENT_LENGTH, HeaderValue::from(length))?;
        }
        *request.extensions_mut() = self.extensions;
        Ok(request.map(|()| Body::new(self.body, self.is_chunked)))
    }
}

/// Removes the headers that concern a connection and not the message (RFC 9110, section 7.6.1), and the framing.
pub(crate) fn without_connection_headers(headers: &HeaderMap) -> HeaderMap {
    const ALWAYS: [HeaderName; 8] = [
        CONNECTION,
        CONTENT_LENGTH,
        PROXY_AUTHENTICATE,
        PROXY_AUTHORIZATION,
        TE,
        TRAILER,
        TRANSFER_ENCODING,
        UPGRADE,
    ];
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    retain(headers, |name| {
        !ALWAYS.contains(name)
            && !named.contains(name)
            && !["keep-alive", "proxy-connection"].contains(&name.as_str())
    })
}

/// Keeps some headers, in their order. `HeaderMap::remove` would reorder them.
pub(crate) fn retain(headers: &HeaderMap, is_kept: impl Fn(&HeaderName) -> bool) -> HeaderMap {
    let mut kept = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers.iter().filter(|(name, _)| is_kept(name)) {
        kept.append(name, value.clone());
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_concern_the_connection_are_not_forwarded() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("host", "old"),
            ("connection", "close, x-hop"),
            ("x-hop", "1"),
            ("transfer-encoding", "chunked"),
            ("keep-alive", "5"),
            ("x-pierre-event", "push"),
            ("x-twice", "a"),
            ("x-twice", "b"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        let forwarded =
            Outgoing::forwarded(Method::POST, &headers, Bytes::new(), Extensions::new());
        let names: Vec<_> = forwarded.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["x-pierre-event", "x-twice", "x-twice"]);
        assert!(forwarded.is_chunked);
    }
}
