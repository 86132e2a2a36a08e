//! Realistic payloads of the four documented events, a different one for each delivery.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::tree::Tree;
use crate::{exit::Failure, hex};

/// Makes the payloads of a run differ from those of other runs.
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

    /// Returns the id of the `n`th object. The `n`th push goes from object `n - 1` to object `n`.
    fn object_id(self, n: u64) -> String {
        let hash = Sha256::new().chain_update(self.0).chain_update(n.to_be_bytes()).finalize();
        hex::encode(hash.get(..20).unwrap_or_default())
    }
}

/// An event with a documented payload.
#[derive(Clone, Copy, Debug)]
pub(crate) enum KnownEvent {
    Push,
    SyncStarted,
    SyncSucceeded,
    SyncFailed,
}

impl KnownEvent {
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

    /// Generates the payload of the `n`th delivery, counted from 1, for an event at this time.
    pub(crate) fn payload(self, n: u64, at: Timestamp, seed: Seed) -> serde_json::Result<Tree> {
        // Microseconds tell syncs apart even if `--set` gives all of them the same run count.
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

    fn body(event: KnownEvent, n: u64, seed: u8) -> String {
        let at = Timestamp::from_millisecond(1_790_000_000_123).unwrap();
        serde_json::to_string(&event.payload(n, at, Seed([seed; 16])).unwrap()).unwrap()
    }

    #[test]
    fn core_reads_each_payload_as_its_event() {
        for event in KnownEvent::ALL {
            let read = Event::from_json(event.event_type(), body(event, 1, 0).into()).unwrap();
            assert_eq!(read.event_type(), event.event_type());
            assert!(!matches!(read, Event::Unknown(_)));
        }
        let failed = body(KnownEvent::SyncFailed, 2, 0);
        let Ok(Event::RepoSyncFailed(sync)) = Event::from_json("repo.sync.failed", failed.into())
        else {
            panic!("a failed sync");
        };
        assert_eq!((sync.run_count, sync.is_first_sync), (2, false));
        assert_eq!(sync.error.as_str(), "authentication failed");
    }

    #[test]
    fn no_two_deliveries_have_the_same_payload() {
        for event in KnownEvent::ALL {
            let bodies: HashSet<_> = (1..=100).map(|n| body(event, n, 0)).collect();
            assert_eq!(bodies.len(), 100, "{event:?}");
        }
        assert_ne!(body(KnownEvent::Push, 1, 0), body(KnownEvent::Push, 1, 1));
    }

    #[test]
    fn a_push_starts_at_the_object_where_the_previous_one_ended() {
        let object = |n, field: &str| {
            let value: serde_json::Value =
                serde_json::from_str(&body(KnownEvent::Push, n, 0)).unwrap();
            value[field].as_str().unwrap().to_owned()
        };
        assert_eq!(object(1, "after"), object(2, "before"));
        assert_eq!(object(1, "after").len(), 40);
    }
}
