//! The typed events.

mod event_type;
mod push;
mod read;
mod repo_sync;
mod time;
mod unknown;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

pub(crate) use self::{
    event_type::{EventType, is_event_type},
    read::read,
};
pub use self::{
    push::PushEvent,
    repo_sync::{RepoSyncFailedEvent, RepoSyncStartedEvent, RepoSyncSucceededEvent, SyncFailure},
    unknown::UnknownEvent,
};
use crate::error::Error;

/// What happened in a repository.
///
/// An event type that this version does not know is [`Unknown`](Self::Unknown), never an error. When a
/// later version gives it a variant, that is a breaking release; [`event_type`](Self::event_type) reads
/// the same in both.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Commits were pushed to a repository, or a branch or tag was created or deleted.
    Push(PushEvent),
    /// A sync run begins, before the upstream is fetched.
    RepoSyncStarted(RepoSyncStartedEvent),
    /// A sync run ended well.
    RepoSyncSucceeded(RepoSyncSucceededEvent),
    /// A sync run failed.
    RepoSyncFailed(RepoSyncFailedEvent),
    /// Any other event type. Its name is not authenticated: see [`UnknownEvent`].
    Unknown(UnknownEvent),
}

impl Event {
    /// Reads the event of a body that is known to be genuine, such as one that was stored after it was
    /// verified.
    ///
    /// # Security
    ///
    /// This verifies nothing. A body that came over the network goes through a
    /// [`Verifier`](crate::Verifier).
    ///
    /// # Errors
    ///
    /// [`Error::MissingEventHeader`] where `event_type` is not 1 to 128 characters `!` to `~` without a
    /// comma, [`Error::InvalidJson`], [`Error::EventTypeMismatch`] or [`Error::InvalidPayload`].
    ///
    /// ```
    /// use pierre_webhook_core::Event;
    ///
    /// let event = Event::from_json("branch.created", r#"{"branch":"main"}"#.into())?;
    /// assert_eq!(event.event_type(), "branch.created");
    /// assert!(matches!(event, Event::Unknown(_)));
    /// # Ok::<(), pierre_webhook_core::Error>(())
    /// ```
    pub fn from_json(event_type: &str, body: Bytes) -> Result<Self, Error> {
        if !is_event_type(event_type) {
            return Err(Error::MissingEventHeader);
        }
        read(EventType::from(event_type), &body)
    }

    /// The event type as it stands in the `X-Pierre-Event` header, such as `push`.
    pub fn event_type(&self) -> &str {
        match self {
            Self::Push(_) => EventType::PUSH,
            Self::RepoSyncStarted(_) => EventType::REPO_SYNC_STARTED,
            Self::RepoSyncSucceeded(_) => EventType::REPO_SYNC_SUCCEEDED,
            Self::RepoSyncFailed(_) => EventType::REPO_SYNC_FAILED,
            Self::Unknown(event) => &event.event_type,
        }
    }

    /// The repository that the event is about; `None` for an unknown event, whose payload has no known
    /// form.
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

/// The repository that an event is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Repository {
    /// The repository's id, such as `repo_01HZXE4K6YZ1Q2ABCD3EFG45H6`.
    pub id: String,
    /// Where the repository is: a path (`team/project-alpha`) or a full URL. It may be empty.
    pub url: String,
    /// The repository's name (`owner/repo`), which older deliveries lack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repo_name: Option<String>,
}
