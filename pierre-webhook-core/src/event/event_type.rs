//! Event types: their grammar (rule 1), the four known ones, and the `type` member of a payload.

use std::{fmt, marker::PhantomData};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The grammar of an event type (rule 1). No comma, so that two header lines joined by a proxy don't become a new
/// event type. At most 128 characters, to bound what is logged and hashed.
pub(crate) fn is_event_type(text: &str) -> bool {
    const LONGEST: usize = 128;
    (1..=LONGEST).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b'!'..=b'~') && byte != b',')
}

/// The event type of a delivery, valid by `is_event_type`. Only an unknown type is allocated.
pub(crate) enum EventType {
    Push,
    RepoSyncStarted,
    RepoSyncSucceeded,
    RepoSyncFailed,
    Unknown(String),
}

impl EventType {
    pub(crate) const PUSH: &'static str = "push";
    pub(crate) const REPO_SYNC_STARTED: &'static str = "repo.sync.started";
    pub(crate) const REPO_SYNC_SUCCEEDED: &'static str = "repo.sync.succeeded";
    pub(crate) const REPO_SYNC_FAILED: &'static str = "repo.sync.failed";

    pub(crate) fn is_known(text: &str) -> bool {
        matches!(
            text,
            Self::PUSH
                | Self::REPO_SYNC_STARTED
                | Self::REPO_SYNC_SUCCEEDED
                | Self::REPO_SYNC_FAILED
        )
    }
}

impl From<&str> for EventType {
    fn from(text: &str) -> Self {
        match text {
            Self::PUSH => Self::Push,
            Self::REPO_SYNC_STARTED => Self::RepoSyncStarted,
            Self::REPO_SYNC_SUCCEEDED => Self::RepoSyncSucceeded,
            Self::REPO_SYNC_FAILED => Self::RepoSyncFailed,
            other => Self::Unknown(other.to_owned()),
        }
    }
}

/// The payload of a known event.
pub(crate) trait Payload: de::DeserializeOwned {
    const EVENT_TYPE: &'static str;
}

/// The `type` member of the payload `P`. It stores nothing, since it can have only one value. As a field it is
/// serialized, required, and rejected if it appears twice, like any other.
pub(crate) struct TypeOf<P>(PhantomData<fn() -> P>);

impl<P> TypeOf<P> {
    /// For a payload whose `type` may be null. With `#[serde(default)]` it may be absent too.
    pub(crate) fn or_null<'de, D>(deserializer: D) -> Result<Self, D::Error>
    where
        D: Deserializer<'de>,
        P: Payload,
    {
        Option::<Self>::deserialize(deserializer).map(Option::unwrap_or_default)
    }
}

impl<'de, P: Payload> Deserialize<'de> for TypeOf<P> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Self::default())
    }
}

impl<P: Payload> de::Visitor<'_> for TypeOf<P> {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the text {:?}", P::EVENT_TYPE)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self, E> {
        if text == P::EVENT_TYPE {
            Ok(self)
        } else {
            Err(E::invalid_value(de::Unexpected::Str(text), &self))
        }
    }
}

impl<P: Payload> Serialize for TypeOf<P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(P::EVENT_TYPE)
    }
}

impl<P: Payload> fmt::Debug for TypeOf<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(P::EVENT_TYPE, f)
    }
}

impl<P> Default for TypeOf<P> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<P> Clone for TypeOf<P> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<P> PartialEq for TypeOf<P> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<P> Eq for TypeOf<P> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_type_is_1_to_128_visible_characters_without_a_comma() {
        let longest = "x".repeat(128);
        for good in ["push", "!", "~", "a;b", "Push", &longest] {
            assert!(is_event_type(good), "{good}");
        }
        let too_long = "x".repeat(129);
        for bad in ["", "a b", "a,b", " push", "push\t", "é", "\x7f", &too_long] {
            assert!(!is_event_type(bad), "{bad:?}");
        }
    }
}
