//! The payloads of `repo.sync.started`, `repo.sync.succeeded` and `repo.sync.failed`.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

use super::{
    event_type::{EventType, Payload, TypeOf},
    object::object,
    repository::Repository,
    time,
};

/// A sync run begins, before the upstream is fetched.
///
/// Read it with [`Event::from_json`](crate::Event::from_json). Its own `Deserialize` also accepts a JSON array.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RepoSyncStartedEvent {
    #[serde(rename = "type")]
    pub(super) event_type: TypeOf<Self>,
    /// The repository that is being synced.
    #[serde(deserialize_with = "object")]
    pub repository: Repository,
    /// How many runs were completed before this one. Reads as 0 if absent: a sender may omit zero values, and
    /// its first event must not be rejected for that.
    #[serde(default)]
    pub run_count: u64,
    /// Whether the repository had never synced successfully before this run began.
    pub is_first_sync: bool,
    /// When the run began.
    #[serde(deserialize_with = "time::rfc3339")]
    pub started_at: Timestamp,
}

impl Payload for RepoSyncStartedEvent {
    const EVENT_TYPE: &'static str = EventType::REPO_SYNC_STARTED;
}

/// A sync run succeeded.
///
/// Read it with [`Event::from_json`](crate::Event::from_json). Its own `Deserialize` also accepts a JSON array.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RepoSyncSucceededEvent {
    #[serde(rename = "type")]
    pub(super) event_type: TypeOf<Self>,
    /// The repository that was synced.
    #[serde(deserialize_with = "object")]
    pub repository: Repository,
    /// How many runs are completed, including this one.
    pub run_count: u64,
    /// Whether the repository had never synced successfully before this run began.
    pub is_first_sync: bool,
    /// When the run began.
    #[serde(deserialize_with = "time::rfc3339")]
    pub started_at: Timestamp,
    /// When the run ended.
    #[serde(deserialize_with = "time::rfc3339")]
    pub completed_at: Timestamp,
}

impl Payload for RepoSyncSucceededEvent {
    const EVENT_TYPE: &'static str = EventType::REPO_SYNC_SUCCEEDED;
}

/// A sync run failed, after the service's own retries.
///
/// Read it with [`Event::from_json`](crate::Event::from_json). Its own `Deserialize` also accepts a JSON array.
///
/// It covers failures of the mirror and of the infrastructure. A run that is canceled inside Code Storage sends
/// no event, for example if the repository was detached from its upstream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RepoSyncFailedEvent {
    #[serde(rename = "type")]
    pub(super) event_type: TypeOf<Self>,
    /// The repository whose sync failed.
    #[serde(deserialize_with = "object")]
    pub repository: Repository,
    /// How many runs are completed, including this one.
    pub run_count: u64,
    /// Whether the repository had never synced successfully before this run began.
    pub is_first_sync: bool,
    /// When the run began.
    #[serde(deserialize_with = "time::rfc3339")]
    pub started_at: Timestamp,
    /// When the run ended.
    #[serde(deserialize_with = "time::rfc3339")]
    pub completed_at: Timestamp,
    /// Why it failed.
    pub error: SyncFailure,
}

impl Payload for RepoSyncFailedEvent {
    const EVENT_TYPE: &'static str = EventType::REPO_SYNC_FAILED;
}

/// Why a sync run failed: one of the texts that the Code Storage webhook guide documents, or any other text.
///
/// ```
/// use pierre_webhook_core::SyncFailure;
///
/// let failure = SyncFailure::from("authentication failed".to_owned());
/// assert_eq!(failure, SyncFailure::AuthenticationFailed);
/// assert_eq!(failure.to_string(), "authentication failed");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(from = "String")]
#[non_exhaustive]
pub enum SyncFailure {
    /// `authentication failed`
    AuthenticationFailed,
    /// `failed to clone repository`
    CloneFailed,
    /// `failed to push to storage`
    StoragePushFailed,
    /// `repository configuration error`
    RepositoryConfiguration,
    /// `upstream repository unreachable`
    UpstreamUnreachable,
    /// `internal error`
    InternalError,
    /// `session unavailable`
    SessionUnavailable,
    /// `sync failed`
    SyncFailed,
    /// A text that isn't documented. It may be empty.
    Other(String),
}

impl SyncFailure {
    /// Returns the text as it is sent.
    pub fn as_str(&self) -> &str {
        match self {
            Self::AuthenticationFailed => "authentication failed",
            Self::CloneFailed => "failed to clone repository",
            Self::StoragePushFailed => "failed to push to storage",
            Self::RepositoryConfiguration => "repository configuration error",
            Self::UpstreamUnreachable => "upstream repository unreachable",
            Self::InternalError => "internal error",
            Self::SessionUnavailable => "session unavailable",
            Self::SyncFailed => "sync failed",
            Self::Other(text) => text,
        }
    }
}

impl From<String> for SyncFailure {
    fn from(text: String) -> Self {
        const DOCUMENTED: [SyncFailure; 8] = [
            SyncFailure::AuthenticationFailed,
            SyncFailure::CloneFailed,
            SyncFailure::StoragePushFailed,
            SyncFailure::RepositoryConfiguration,
            SyncFailure::UpstreamUnreachable,
            SyncFailure::InternalError,
            SyncFailure::SessionUnavailable,
            SyncFailure::SyncFailed,
        ];
        DOCUMENTED.into_iter().find(|failure| failure.as_str() == text).unwrap_or(Self::Other(text))
    }
}

impl fmt::Display for SyncFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for SyncFailure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
