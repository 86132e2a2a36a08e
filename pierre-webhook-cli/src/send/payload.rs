//! Realistic payloads of the four documented events. No two deliveries have the same one.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::tree::Tree;
use crate::exit::Failure;

/// What makes the payloads of a run differ from those of every other run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seed([u8; 16]);

#[derive(Serialize)]
struct Push {
    repository: PushedRepository,
    org: &'static str,
    r#ref: &'static str,
    before: String,
    after: String,
    customer_id: &'static str,
    pushed_at: Timestamp,
}

#[derive(Serialize)]
struct PushedRepository {
    id: &'static str,
    url: &'static str,
    repo_name: &'static str,
}

#[derive(Serialize)]
struct Sync {
    r#type: &'static str,
    repository: Repository,
    run_count: u64,
    is_first_sync: bool,
    started_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

#[derive(Serialize)]
struct Repository {
    id: &'static str,
    url: &'static str,
}

const ID: &str = "repo_01HZXE4K6YZ1Q2ABCD3EFG45H6";
const URL: &str = "team/project-alpha";

impl Seed {
    pub(crate) fn random() -> Result<Self, Failure> {
        let mut seed = [0; 16];
        getrandom::fill(&mut seed)
            .map_err(|error| Failure::failed(format!("no random bytes: {error}")))?;
        Ok(Self(seed))
    }

    /// The `n`th push goes from the `n - 1`th object to the `n`th.
    fn object_id(self, n: u64) -> String {
        let hash = Sha256::new().chain_update(self.0).chain_update(n.to_be_bytes()).finalize();
        hash.iter().take(20).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// An event whose payload is documented.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Known {
    Push,
    SyncStarted,
    SyncSucceeded,
    SyncFailed,
}

impl Known {
    pub(crate) const ALL: [Self; 4] =
        [Self::Push, Self::SyncStarted, Self::SyncSucceeded, Self::SyncFailed];

    pub(crate) fn event_type(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::SyncStarted => "repo.sync.started",
            Self::SyncSucceeded => "repo.sync.succeeded",
            Self::SyncFailed => "repo.sync.failed",
        }
    }

    /// The payload of the `n`th delivery, counted from 1, of something that happened at `at`.
    pub(crate) fn payload(self, n: u64, at: Timestamp, seed: Seed) -> serde_json::Result<Tree> {
        // Two syncs must differ although `--set` gives them one run count: by their microseconds.
        let microseconds = n.wrapping_add(u16::from_be_bytes([seed.0[0], seed.0[1]]).into()) % 1000;
        let at = at.as_millisecond().saturating_mul(1000).saturating_add_unsigned(microseconds);
        let at = Timestamp::from_microsecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
        match self {
            Self::Push => Tree::new(&Push {
                repository: PushedRepository { id: ID, url: URL, repo_name: "owner/repo" },
                org: "acme",
                r#ref: "refs/heads/main",
                before: seed.object_id(n.saturating_sub(1)),
                after: seed.object_id(n),
                customer_id: "your-customer-id",
                pushed_at: at,
            }),
            Self::SyncStarted => Tree::new(&self.sync(n.saturating_sub(1), at, None)),
            Self::SyncSucceeded => Tree::new(&self.sync(n, before(at, 150), Some(at))),
            Self::SyncFailed => Tree::new(&Sync {
                error: Some("authentication failed"),
                ..self.sync(n, before(at, 5), Some(at))
            }),
        }
    }

    fn sync(self, run_count: u64, started_at: Timestamp, completed_at: Option<Timestamp>) -> Sync {
        Sync {
            r#type: self.event_type(),
            repository: Repository { id: ID, url: URL },
            run_count,
            is_first_sync: run_count <= u64::from(completed_at.is_some()),
            started_at,
            completed_at,
            error: None,
        }
    }
}

fn before(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_sub(SignedDuration::from_secs(seconds)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use pierre_webhook_core::Event;

    use super::*;

    fn body(event: Known, n: u64, seed: u8) -> String {
        let at = Timestamp::from_millisecond(1_790_000_000_123).unwrap();
        serde_json::to_string(&event.payload(n, at, Seed([seed; 16])).unwrap()).unwrap()
    }

    #[test]
    fn core_reads_each_of_them_as_the_event_that_it_is() {
        for event in Known::ALL {
            let read = Event::from_json(event.event_type(), body(event, 1, 0).into()).unwrap();
            assert_eq!(read.event_type(), event.event_type());
            assert!(!matches!(read, Event::Unknown(_)));
        }
        let failed = body(Known::SyncFailed, 2, 0);
        let Ok(Event::RepoSyncFailed(sync)) = Event::from_json("repo.sync.failed", failed.into())
        else {
            panic!("a failed sync");
        };
        assert_eq!((sync.run_count, sync.is_first_sync), (2, false));
        assert_eq!(sync.error.as_str(), "authentication failed");
    }

    #[test]
    fn no_two_deliveries_have_the_same_body() {
        for event in Known::ALL {
            let bodies: HashSet<_> = (1..=100).map(|n| body(event, n, 0)).collect();
            assert_eq!(bodies.len(), 100, "{event:?}");
        }
        assert_ne!(body(Known::Push, 1, 0), body(Known::Push, 1, 1));
    }

    #[test]
    fn a_push_begins_where_the_one_before_ended() {
        let object = |n, field: &str| {
            let value: serde_json::Value = serde_json::from_str(&body(Known::Push, n, 0)).unwrap();
            value[field].as_str().unwrap().to_owned()
        };
        assert_eq!(object(1, "after"), object(2, "before"));
        assert_eq!(object(1, "after").len(), 40);
    }
}
