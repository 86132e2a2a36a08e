//! Where the bodies come from: a payload made for each delivery, or the bytes of `--body`.

use std::{
    fs,
    path::{Path, PathBuf},
    str::FromStr,
};

use bytes::Bytes;
use jiff::Timestamp;

use super::{
    payload::{Known, Seed},
    set::Set,
    tree::Tree,
};
use crate::{escape, exit::Failure, stdin};

/// `--body @file` or `--body -`.
#[derive(Clone, Debug)]
pub(crate) enum BodyArg {
    File(PathBuf),
    Stdin,
}

impl FromStr for BodyArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix('@') {
            _ if text == "-" => Ok(Self::Stdin),
            Some(path) if !path.is_empty() => Ok(Self::File(path.into())),
            _ => Err("neither @file nor -".to_owned()),
        }
    }
}

impl BodyArg {
    pub(crate) async fn read(&self) -> Result<Bytes, Failure> {
        match self {
            Self::File(path) => fs::read(path).map(Bytes::from).map_err(|error| {
                Failure::io(format_args!("cannot read {}", path.display()), &error)
            }),
            Self::Stdin => stdin::read().await,
        }
    }

    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Stdin => None,
        }
    }
}

/// Where the bodies of a run come from.
pub(crate) enum Bodies {
    AsGiven(Bytes),
    Made(Maker),
}

impl Bodies {
    /// The body of the `n`th delivery, of an event that happened at `at`.
    pub(crate) fn body(&self, n: u64, at: Timestamp) -> Result<Bytes, Failure> {
        match self {
            Self::AsGiven(bytes) => Ok(bytes.clone()),
            Self::Made(maker) => maker.body(n, at),
        }
    }
}

/// Makes payloads.
pub(crate) struct Maker {
    event: Known,
    seed: Seed,
    changes: Vec<Set>,
}

impl Maker {
    pub(crate) fn new(event: &str, changes: Vec<Set>) -> Result<Self, Failure> {
        let known = Known::ALL.into_iter().find(|known| known.event_type() == event);
        let Some(known) = known else {
            return Err(Failure::usage(format!(
                "no payload of {event} is documented: give one with --body @file (documented: {})",
                Known::ALL.map(Known::event_type).join(", ")
            )));
        };
        Ok(Self { event: known, seed: Seed::random()?, changes })
    }

    fn body(&self, n: u64, at: Timestamp) -> Result<Bytes, Failure> {
        serde_json::to_vec(&self.tree(n, at)?).map(Bytes::from).map_err(unwritable)
    }

    /// The payload of the first delivery, on one line or laid out to be read and edited.
    pub(crate) fn print(&self, at: Timestamp, is_pretty: bool) -> Result<String, Failure> {
        let mut tree = self.tree(1, at)?;
        // On one line: a value of `--set` may have been typed on several.
        tree.take_apart_within(128);
        let json = if is_pretty {
            serde_json::to_string_pretty(&tree)
        } else {
            serde_json::to_string(&tree)
        };
        let json = json.map_err(unwritable)?;
        Ok(json.lines().map(escape::json).collect::<Vec<_>>().join("\n"))
    }

    fn tree(&self, n: u64, at: Timestamp) -> Result<Tree, Failure> {
        let mut tree = self.event.payload(n, at, self.seed).map_err(unwritable)?;
        for change in &self.changes {
            change.apply(&mut tree)?;
        }
        Ok(tree)
    }
}

fn unwritable(error: serde_json::Error) -> Failure {
    Failure::failed(format!("cannot write the payload: {error}"))
}
