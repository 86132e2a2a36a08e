//! The request to explain.

use std::{fs, path::Path};

use bytes::Bytes;
use jiff::Timestamp;
use pierre_webhook_core::{EVENT_HEADER, SIGNATURE_HEADER};

use super::dump;
use crate::{exit::Failure, saved::Saved, stdin};

/// Header lines and body, in whatever form they were given.
#[derive(Debug)]
pub(super) struct Request {
    /// When it arrived, where that is known.
    pub(super) at: Option<Timestamp>,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Bytes,
    /// The body is shorter than its framing says.
    pub(super) is_broken_off: bool,
}

impl Request {
    pub(super) async fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = read(path).await?;
        Self::recognise(&bytes).ok_or_else(|| {
            Failure::failed(format!(
                "{} is neither a saved delivery nor the dump of an HTTP request",
                path.display()
            ))
        })
    }

    pub(super) fn of_parts(signature: &str, event: &str, body: Bytes) -> Self {
        let headers = [(SIGNATURE_HEADER, signature), (EVENT_HEADER, event)];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        Self { at: None, headers: headers.into(), body, is_broken_off: false }
    }

    /// `None` where the bytes are no request.
    pub(super) fn recognise(bytes: &[u8]) -> Option<Self> {
        match serde_json::from_slice::<Saved>(bytes) {
            Ok(saved) => {
                let (_, headers, body) = saved.decode().ok()?;
                let headers = headers
                    .iter()
                    .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
                    .collect();
                Some(Self { at: Some(saved.at), headers, body, is_broken_off: false })
            }
            Err(_) => dump::parse(bytes),
        }
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }
}

async fn read(path: &Path) -> Result<Bytes, Failure> {
    if path == Path::new("-") {
        return stdin::read().await;
    }
    fs::read(path)
        .map(Bytes::from)
        .map_err(|error| Failure::io(format_args!("cannot read {}", path.display()), &error))
}
