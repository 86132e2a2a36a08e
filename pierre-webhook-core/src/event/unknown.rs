//! Events of a type that this version doesn't know.

use std::fmt;

use bytes::Bytes;
use serde::Deserialize;

/// An event of a type that this version doesn't know.
///
/// # Security
///
/// The payload is signed; the event type is not. While a captured delivery is fresh, its header can be
/// replaced. Under the name of an unknown event, anything can be replayed that doesn't call itself one of the
/// four known types: a delivery of another unknown event, or a push, whose body names no type. Under one of the
/// four known names, a body can be replayed that has that event's fields and doesn't contradict the name: a
/// body without a `type` that has the fields of a push reads as a push. If the payload names its own type,
/// believe that and not the header.
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
    /// The event type from the header: 1 to 128 characters `!` to `~` without a comma.
    pub event_type: String,
    /// The body: UTF-8 and one JSON value of any kind.
    pub payload: Bytes,
}

impl UnknownEvent {
    /// Deserializes the payload into a type of your own.
    ///
    /// # Errors
    ///
    /// If the payload doesn't have that form. serde_json's message may quote the payload.
    pub fn parse_json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.payload)
    }
}

/// Prints the payload's length instead of its bytes, which may be many.
impl fmt::Debug for UnknownEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnknownEvent")
            .field("event_type", &self.event_type)
            .field("payload", &format_args!("{} bytes", self.payload.len()))
            .finish()
    }
}
