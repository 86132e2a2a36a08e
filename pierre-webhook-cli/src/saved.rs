//! A saved delivery: what `listen --save` writes, and `replay` reads.

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

/// A request as it came: every header line, and every byte of the body.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Saved {
    /// When it came.
    pub(crate) at: Timestamp,
    pub(crate) method: String,
    /// The path and the query.
    pub(crate) path: String,
    /// Name and value, the value in base64.
    headers: Vec<(String, String)>,
    body_base64: String,
}

impl Saved {
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

    /// Its parts; what is none of HTTP's is said in words.
    pub(crate) fn decode(&self) -> Result<(Method, HeaderMap, Bytes), String> {
        let method = self.method.parse().map_err(|_| "its method is none of HTTP's")?;
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let name: HeaderName =
                name.parse().map_err(|_| "the name of a header is none of HTTP's")?;
            let value = STANDARD.decode(value).map_err(|_| "a header's value is not base64")?;
            let value = HeaderValue::try_from(value)
                .map_err(|_| "a header's value has bytes that HTTP does not allow")?;
            headers.append(name, value);
        }
        let body = STANDARD.decode(&self.body_base64).map_err(|_| "its body is not base64")?;
        Ok((method, headers, body.into()))
    }
}

/// Where deliveries are saved, under names that sort in the order of arrival.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// When the run began: runs sort by it, the deliveries of a run by their number.
    run: String,
}

impl Folder {
    /// Makes the folder where there is none.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(path)
            .map_err(|error| Failure::io(format_args!("cannot make {}", path.display()), &error))?;
        let run = Timestamp::now().strftime("%Y%m%dT%H%M%S%3fZ").to_string();
        Ok(Self { path: path.to_owned(), run })
    }

    /// Writes a delivery, which appears under its name only once it is whole.
    pub(crate) fn save(&self, n: u64, saved: &Saved) -> io::Result<PathBuf> {
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
