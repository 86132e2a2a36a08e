//! Realistic payloads of the four documented events, a different one for each delivery.

use jiff::{SignedDuration, Timestamp};
use pierre_webhook_core::TestDelivery;
use sha2::{Digest as _, Sha256};

use super::tree::Tree;
use crate::{exit::Failure, hex};

/// Makes the payloads of a run differ from those of other runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seed([u8; 16]);

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
        let body = match self {
            Self::Push => TestDelivery::push()
                .with(|push| {
                    push.before = seed.object_id(n.saturating_sub(1));
                    push.after = seed.object_id(n);
                    push.pushed_at = at;
                })
                .body(),
            Self::SyncStarted => TestDelivery::sync_started()
                .with(|sync| {
                    sync.run_count = n.saturating_sub(1);
                    sync.is_first_sync = n <= 1;
                    sync.started_at = at;
                })
                .body(),
            Self::SyncSucceeded => TestDelivery::sync_succeeded()
                .with(|sync| {
                    sync.run_count = n;
                    sync.is_first_sync = n <= 1;
                    sync.started_at = before(at, 150);
                    sync.completed_at = at;
                })
                .body(),
            Self::SyncFailed => TestDelivery::sync_failed()
                .with(|sync| {
                    sync.run_count = n;
                    sync.is_first_sync = n <= 1;
                    sync.started_at = before(at, 5);
                    sync.completed_at = at;
                })
                .body(),
        };
        serde_json::from_slice(&body).map(Tree::Raw)
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
