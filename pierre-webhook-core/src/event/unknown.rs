//! An event of a type that this version does not know.

use std::fmt;

use bytes::Bytes;
use serde::Deserialize;

/// An event of a type that this version does not know.
///
/// # Security
///
/// The payload is signed; the event type is not. Whoever captured a genuine delivery of an unknown type, or a
/// push, whose body names no type, can replay it under the name of an unknown type while it is fresh. Where the
/// payload names its own type, believe that. (Nothing can be replayed under one of the four known names: they are
/// checked against the body.)
///
/// ```
/// use pierre_webhook_core::Event;
///
/// #[derive(serde::Deserialize)]
/// struct BranchCreated<'a> { branch: &'a str }
///
/// let event = Event::from_json("branch.created", r#"{"branch":"main"}"#.into())?;
/// let Event::Unknown(event) = event else { unreachable!() };
/// let created: BranchCreated = event.parse_json()?;
/// assert_eq!(created.branch, "main");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownEvent {
    /// The event type as it stands in the header: 1 to 128 characters `!` to `~` without a comma.
    pub event_type: String,
    /// The body: UTF-8 and one JSON value of any kind.
    pub payload: Bytes,
}

impl UnknownEvent {
    /// Reads the payload as a type of your own.
    ///
    /// # Errors
    ///
    /// Where the payload is not of that form. serde_json's message may quote the payload.
    pub fn parse_json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.payload)
    }
}

/// Gives the payload's length in the place of its bytes, of which there may be many.
impl fmt::Debug for UnknownEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnknownEvent")
            .field("event_type", &self.event_type)
            .field("payload", &format_args!("{} bytes", self.payload.len()))
            .finish()
    }
}
