//! The example events of the Code Storage webhook guide, for tests.

use jiff::Timestamp;
use serde::Serialize;

use super::{
    event_type::TypeOf,
    push::PushEvent,
    repo_sync::{RepoSyncFailedEvent, RepoSyncStartedEvent, RepoSyncSucceededEvent, SyncFailure},
    repository::Repository,
};

/// 2024-01-20T10:30:00Z
const PUSHED_AT: Timestamp = Timestamp::constant(1_705_746_600, 0);
/// 2026-03-17T10:00:00Z
const STARTED_AT: Timestamp = Timestamp::constant(1_773_741_600, 0);
/// 2026-03-17T10:02:30Z
const COMPLETED_AT: Timestamp = Timestamp::constant(1_773_741_750, 0);

pub(crate) fn push() -> PushEvent {
    PushEvent {
        event_type: TypeOf::default(),
        repository: Repository { repo_name: Some("owner/repo".to_owned()), ..repository() },
        org: Some("acme".to_owned()),
        git_ref: "refs/heads/main".to_owned(),
        // The guide abbreviates the object ids.
        before: "4f9d2c1b7a6e5f4d3c2b1a09f8e7d6c5b4a39281".to_owned(),
        after: "9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b".to_owned(),
        customer_id: "your-customer-id".to_owned(),
        pushed_at: PUSHED_AT,
    }
}

pub(crate) fn sync_started() -> RepoSyncStartedEvent {
    RepoSyncStartedEvent {
        event_type: TypeOf::default(),
        repository: repository(),
        run_count: 0,
        is_first_sync: true,
        started_at: STARTED_AT,
    }
}

pub(crate) fn sync_succeeded() -> RepoSyncSucceededEvent {
    RepoSyncSucceededEvent {
        event_type: TypeOf::default(),
        repository: repository(),
        run_count: 1,
        is_first_sync: true,
        started_at: STARTED_AT,
        completed_at: COMPLETED_AT,
    }
}

pub(crate) fn sync_failed() -> RepoSyncFailedEvent {
    RepoSyncFailedEvent {
        event_type: TypeOf::default(),
        repository: repository(),
        run_count: 1,
        is_first_sync: true,
        started_at: STARTED_AT,
        completed_at: COMPLETED_AT,
        error: SyncFailure::AuthenticationFailed,
    }
}

fn repository() -> Repository {
    Repository {
        id: "repo_01HZXE4K6YZ1Q2ABCD3EFG45H6".to_owned(),
        url: "team/project-alpha".to_owned(),
        repo_name: None,
    }
}

/// A push as Code Storage sends it: without the `type` that [`PushEvent`] serializes.
#[derive(Serialize)]
pub(crate) struct SentPush<'a> {
    repository: &'a Repository,
    #[serde(skip_serializing_if = "Option::is_none")]
    org: Option<&'a str>,
    #[serde(rename = "ref")]
    git_ref: &'a str,
    before: &'a str,
    after: &'a str,
    customer_id: &'a str,
    pushed_at: Timestamp,
}

impl<'a> From<&'a PushEvent> for SentPush<'a> {
    fn from(push: &'a PushEvent) -> Self {
        let PushEvent {
            event_type: _,
            repository,
            org,
            git_ref,
            before,
            after,
            customer_id,
            pushed_at,
        } = push;
        Self {
            repository,
            org: org.as_deref(),
            git_ref,
            before,
            after,
            customer_id,
            pushed_at: *pushed_at,
        }
    }
}
