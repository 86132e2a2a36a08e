//! Saved deliveries: `listen --save` writes them; `replay` and `explain` read them.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::exit::Failure;

/// A request as it arrived, with every header line and every byte of the body.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SavedDelivery {
    /// When it arrived.
    pub(crate) at: Timestamp,
    pub(crate) method: String,
    /// With the query.
    pub(crate) path: String,
    /// Names, and values in base64.
    headers: Vec<(String, String)>,
    body_base64: String,
}

impl SavedDelivery {
    pub(crate) fn new(at: Timestamp, head: &http::request::Parts, body: &[u8]) -> Self {
        let headers = head
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), STANDARD.encode(value)))
            .collect();
        Self {
            at,
            method: head.method.to_string(),
            path: head.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            headers,
            body_base64: STANDARD.encode(body),
        }
    }

    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let path_text = path.display();
        let bytes = fs::read(path).map_err(|error| format!("cannot read {path_text}: {error}"))?;
        serde_json::from_slice(&bytes)
            .map_err(|error| format!("{path_text} is not a saved delivery: {error}"))
    }

    /// Decodes the method, the headers and the body. The error says which of them is invalid.
    pub(crate) fn decode(&self) -> Result<(Method, HeaderMap, Bytes), String> {
        let method = self.method.parse().map_err(|_| "its method is not an HTTP method")?;
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let name: HeaderName =
                name.parse().map_err(|_| "the name of a header is not valid in HTTP")?;
            let value =
                STANDARD.decode(value).map_err(|_| "the value of a header is not base64")?;
            let value = HeaderValue::try_from(value)
                .map_err(|_| "the value of a header is not valid in HTTP")?;
            headers.append(name, value);
        }
        let body = STANDARD.decode(&self.body_base64).map_err(|_| "its body is not base64")?;
        Ok((method, headers, body.into()))
    }
}

/// A directory of saved deliveries, whose names sort in order of arrival.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// When this run began. Runs sort by it, and the deliveries of a run by their number.
    run: String,
}

impl Folder {
    /// Opens the directory, and creates it if necessary.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let cannot = format_args!("cannot create {}", path.display());
        fs::create_dir_all(path).map_err(|error| Failure::io(cannot, &error))?;
        let run = Timestamp::now().strftime("%Y%m%dT%H%M%S%3fZ").to_string();
        Ok(Self { path: path.to_owned(), run })
    }

    /// Saves a delivery. The file gets its name only once it is complete.
    pub(crate) fn save(&self, n: u64, saved: &SavedDelivery) -> io::Result<PathBuf> {
        let path = self.path.join(format!("{}-{n:08}.json", self.run));
        let part = path.with_extension("part");
        let mut file = fs::File::create_new(&part)?;
        let mut json = serde_json::to_vec(saved)?;
        json.push(b'\n');
        file.write_all(&json)?;
        fs::rename(&part, &path)?;
        Ok(path)
    }
}
