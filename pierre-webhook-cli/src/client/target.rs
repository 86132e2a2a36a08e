//! The URL of a receiver.

use std::str::FromStr;

use http::{HeaderValue, Uri, uri::Scheme};

/// An absolute `http` or `https` URL.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    uri: Uri,
    host: HeaderValue,
    is_https: bool,
}

impl Target {
    /// Returns the host, without the brackets of an IPv6 address.
    pub(crate) fn host(&self) -> &str {
        let host = self.uri.host().unwrap_or_default();
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
    }

    pub(crate) fn port(&self) -> u16 {
        self.uri.port_u16().unwrap_or(if self.is_https { 443 } else { 80 })
    }

    #[cfg(feature = "tls")]
    pub(crate) fn is_https(&self) -> bool {
        self.is_https
    }

    /// Returns the value of the `Host` header.
    pub(crate) fn host_header(&self) -> HeaderValue {
        self.host.clone()
    }

    /// Returns the path and the query.
    pub(crate) fn path(&self) -> &str {
        self.uri.path_and_query().map_or("/", |path| path.as_str())
    }

    /// Returns the whole URL.
    pub(crate) fn url(&self) -> String {
        self.uri.to_string()
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const FORM: &str = "not a URL such as http://127.0.0.1:8787/webhooks";
        let uri: Uri = text.parse().map_err(|_| FORM)?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(FORM.to_owned());
        };
        let is_https = *scheme == Scheme::HTTPS;
        if !is_https && *scheme != Scheme::HTTP {
            return Err("neither http:// nor https://".to_owned());
        }
        if is_https && !cfg!(feature = "tls") {
            return Err("https:// is not supported by this build (feature `tls`)".to_owned());
        }
        if authority.as_str().contains('@') {
            return Err("a user name in the URL is not supported: use --header".to_owned());
        }
        // `Uri` accepts invalid ports.
        let is_port = authority.port_u16().is_some_and(|port| port > 0);
        if !is_port && authority.as_str() != authority.host() {
            return Err("its port is not a number from 1 to 65535".to_owned());
        }
        let host = HeaderValue::from_str(authority.as_str()).map_err(|_| FORM)?;
        let target = Self { uri, host, is_https };
        if target.host().is_empty() { Err(FORM.to_owned()) } else { Ok(target) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_an_absolute_url() {
        let target = Target::from_str("http://[::1]:8787/hooks?a=b").unwrap();
        assert_eq!((target.host(), target.port(), target.path()), ("::1", 8787, "/hooks?a=b"));
        assert_eq!(target.host_header(), "[::1]:8787");
        let target = Target::from_str("http://localhost").unwrap();
        assert_eq!((target.port(), target.path()), (80, "/"));
        for wrong in
            ["", "/hooks", "localhost:8787/hooks", "ftp://localhost/", "http://", "http://u@h/"]
        {
            assert!(Target::from_str(wrong).is_err(), "{wrong}");
        }
        // An invalid port doesn't fall back to 80.
        for wrong in ["http://h:99999/", "http://h:0/", "http://h:/", "http://[::1]:70000/"] {
            assert!(Target::from_str(wrong).is_err(), "{wrong}");
        }
    }
}
