//! Reads a recorded request: a saved delivery, or the dump of an HTTP request.

use std::{fs, path::Path};

use bytes::Bytes;

use super::{dump, request::RecordedRequest};
use crate::{exit::Failure, saved::SavedDelivery, stdin};

/// Reads a request from a file, or from standard input for `-`.
pub(super) async fn request(path: &Path) -> Result<RecordedRequest, Failure> {
    let bytes = if path == Path::new("-") { stdin::read().await? } else { file(path)? };
    recognize(&bytes).ok_or_else(|| {
        Failure::failed(format!(
            "{} is neither a saved delivery nor the dump of an HTTP request",
            path.display()
        ))
    })
}

/// Reads the body of a recorded request, or the bytes of any other file.
pub(super) fn body(path: &Path) -> Result<Bytes, Failure> {
    let bytes = file(path)?;
    Ok(recognize(&bytes).map_or(bytes, |request| request.body))
}

fn file(path: &Path) -> Result<Bytes, Failure> {
    fs::read(path)
        .map(Bytes::from)
        .map_err(|error| Failure::io(format_args!("cannot read {}", path.display()), &error))
}

/// Returns `None` if the bytes are not a request.
fn recognize(bytes: &[u8]) -> Option<RecordedRequest> {
    let Ok(saved) = serde_json::from_slice::<SavedDelivery>(bytes) else {
        return dump::parse(bytes);
    };
    let (_, headers, body) = saved.decode().ok()?;
    let headers =
        headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    Some(RecordedRequest { at: Some(saved.at), headers, body, is_incomplete: false })
}
