//! The bodies of a run: a generated payload for each delivery, or the bytes of `--body`.

use bytes::Bytes;
use jiff::Timestamp;

use super::set::Set;
use crate::{
    escape,
    exit::Failure,
    payload::{KnownEvent, Seed, Tree},
};

/// The bodies of a run.
pub(super) enum Bodies {
    Fixed(Bytes),
    Generated(Template),
}

impl Bodies {
    /// Returns the body of the `n`th delivery, for an event at this time.
    pub(super) fn body(&self, n: u64, at: Timestamp) -> Result<Bytes, Failure> {
        match self {
            Self::Fixed(bytes) => Ok(bytes.clone()),
            Self::Generated(template) => template.body(n, at),
        }
    }
}

/// Generates payloads, with the changes of `--set`.
pub(super) struct Template {
    event: KnownEvent,
    seed: Seed,
    changes: Vec<Set>,
}

impl Template {
    pub(super) fn new(event: &str, changes: Vec<Set>, seed: Seed) -> Result<Self, Failure> {
        let known = KnownEvent::ALL.into_iter().find(|known| known.event_type() == event);
        let Some(known) = known else {
            return Err(Failure::usage(format!(
                "{event} has no documented payload: give one with --body @file (documented: {})",
                KnownEvent::ALL.map(KnownEvent::event_type).join(", ")
            )));
        };
        Ok(Self { event: known, seed, changes })
    }

    fn body(&self, n: u64, at: Timestamp) -> Result<Bytes, Failure> {
        serde_json::to_vec(&self.tree(n, at)?).map(Bytes::from).map_err(unwritable)
    }

    /// Returns the payload of the first delivery, on one line or pretty-printed.
    pub(super) fn print(&self, at: Timestamp, is_pretty: bool) -> Result<String, Failure> {
        let mut tree = self.tree(1, at)?;
        // A raw value of `--set` keeps its line breaks. Parsed, it is laid out like the rest.
        tree.parse_within(128);
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
