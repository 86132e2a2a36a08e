//! A request that is about to be sent.

use bytes::Bytes;
use http::{
    Extensions, HeaderMap, HeaderName, HeaderValue, Method, Request,
    header::{
        CONNECTION, CONTENT_LENGTH, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
        TRANSFER_ENCODING, UPGRADE,
    },
};

use super::{body::Body, target::Target};

/// All of a request but where it goes.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    /// Without `Host` it is the target's; the headers of the connection are the client's to set.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Without a `Content-Length`.
    pub(crate) is_chunked: bool,
    /// Where a request came in, hyper keeps in here how its header names were written.
    pub(crate) extensions: Extensions,
}

impl Outgoing {
    /// A request that came in, to be sent on: without the headers that concern the connection it came by.
    pub(crate) fn passed_on(
        method: Method,
        headers: &HeaderMap,
        body: Bytes,
        extensions: Extensions,
    ) -> Self {
        let is_chunked = headers.contains_key(TRANSFER_ENCODING);
        let headers = only(&without_connection_headers(headers), |name| name != HOST);
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

/// Without what concerns one connection and not the message (RFC 9110, section 7.6.1), the framing too.
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
    only(headers, |name| {
        !ALWAYS.contains(name)
            && !named.contains(name)
            && !["keep-alive", "proxy-connection"].contains(&name.as_str())
    })
}

/// The lines of some headers, in their order, which removing the others would not keep.
pub(crate) fn only(headers: &HeaderMap, is_kept: impl Fn(&HeaderName) -> bool) -> HeaderMap {
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
    fn what_concerns_the_connection_is_not_passed_on() {
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
        let passed = Outgoing::passed_on(Method::POST, &headers, Bytes::new(), Extensions::new());
        let names: Vec<_> = passed.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["x-pierre-event", "x-twice", "x-twice"]);
        assert!(passed.is_chunked);
    }
}
