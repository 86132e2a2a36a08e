//! The typed events.

mod event_type;
#[cfg(feature = "test-util")]
pub(crate) mod example;
mod object;
mod push;
mod read;
mod repo_sync;
mod repository;
mod time;
mod unknown;

pub(crate) use self::{
    event_type::{EventType, is_event_type},
    read::read,
};
pub use self::{
    push::PushEvent,
    repo_sync::{RepoSyncFailedEvent, RepoSyncStartedEvent, RepoSyncSucceededEvent, SyncFailure},
    repository::Repository,
    unknown::UnknownEvent,
};

/// What happened in a repository.
///
/// An event type that this version doesn't know is [`Unknown`](Self::Unknown), never an error. Only a
/// breaking release adds a variant for it; [`event_type`](Self::event_type) returns the same text in both.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Commits were pushed to a repository, or a branch or tag was created or deleted.
    Push(PushEvent),
    /// A sync run begins, before the upstream is fetched.
    RepoSyncStarted(RepoSyncStartedEvent),
    /// A sync run succeeded.
    RepoSyncSucceeded(RepoSyncSucceededEvent),
    /// A sync run failed.
    RepoSyncFailed(RepoSyncFailedEvent),
    /// Any other event type. Its name is not authenticated: see [`UnknownEvent`].
    Unknown(UnknownEvent),
}

impl Event {
    /// Returns the event type from the `X-Pierre-Event` header, such as `push`.
    pub fn event_type(&self) -> &str {
        match self {
            Self::Push(_) => EventType::PUSH,
            Self::RepoSyncStarted(_) => EventType::REPO_SYNC_STARTED,
            Self::RepoSyncSucceeded(_) => EventType::REPO_SYNC_SUCCEEDED,
            Self::RepoSyncFailed(_) => EventType::REPO_SYNC_FAILED,
            Self::Unknown(event) => &event.event_type,
        }
    }

    /// Returns the repository that the event is about. `None` for an unknown event, since the form of its
    /// payload isn't known.
    pub fn repository(&self) -> Option<&Repository> {
        match self {
            Self::Push(event) => Some(&event.repository),
            Self::RepoSyncStarted(event) => Some(&event.repository),
            Self::RepoSyncSucceeded(event) => Some(&event.repository),
            Self::RepoSyncFailed(event) => Some(&event.repository),
            Self::Unknown(_) => None,
        }
    }
}
