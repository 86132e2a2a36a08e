//! Reads a typed event from the body: JSON (rule 6), the event type (7a), the fields (7b), unknown events (8).

use std::{borrow::Cow, fmt, str::Utf8Error};

use bytes::Bytes;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{
    Event,
    event_type::{EventType, Payload, is_event_type},
    object::object,
    unknown::UnknownEvent,
};
use crate::error::Error;

impl Event {
    /// Reads the event of a body that is known to be genuine, such as one that you stored after it was
    /// verified.
    ///
    /// `event_type` is what the `X-Pierre-Event` header said, without spaces around it.
    ///
    /// # Security
    ///
    /// This verifies nothing. Pass a body from the network to a [`Verifier`](crate::Verifier).
    ///
    /// # Errors
    ///
    /// [`Error::MissingEventHeader`] if `event_type` isn't 1 to 128 characters `!` to `~` without a comma,
    /// [`Error::InvalidJson`], [`Error::EventTypeMismatch`] or [`Error::InvalidPayload`]. The texts are those of
    /// a rejected delivery, so they call `event_type` the header.
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
}

pub(crate) fn read(event_type: EventType, body: &Bytes) -> Result<Event, Error> {
    let text = str::from_utf8(body).map_err(|error| not_utf8(body, error))?;
    match event_type {
        EventType::Push => known(text).map(Event::Push),
        EventType::RepoSyncStarted => known(text).map(Event::RepoSyncStarted),
        EventType::RepoSyncSucceeded => known(text).map(Event::RepoSyncSucceeded),
        EventType::RepoSyncFailed => known(text).map(Event::RepoSyncFailed),
        EventType::Unknown(event_type) => {
            unknown(&event_type, text)?;
            Ok(Event::Unknown(UnknownEvent { event_type, payload: body.clone() }))
        }
    }
}

/// A valid payload takes one pass: if it could be read to its end, it is JSON and its `type` matches the header.
/// Only if that fails are the rules checked one by one.
fn known<P: Payload>(text: &str) -> Result<P, Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    object(&mut json)
        .and_then(|payload| json.end().map(|()| payload))
        .map_err(|_| why_not::<P>(text))
}

/// Finds the first rule that a body breaks: JSON (6), the event type (7a), or the fields of `P` (7b).
#[cold]
fn why_not<P: Payload>(text: &str) -> Error {
    let is_another = |body: &str| is_event_type(body) && body != P::EVENT_TYPE;
    if let Err(error) = no_type(text, is_another, P::EVENT_TYPE) {
        return error;
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let mut track = serde_path_to_error::Track::new();
    let payload: Result<P, _> =
        object(serde_path_to_error::Deserializer::new(&mut json, &mut track));
    let (line, column) = payload.map_or_else(|error| (error.line(), error.column()), |_| (0, 0));
    Error::InvalidPayload {
        event_type: P::EVENT_TYPE.to_owned(),
        // The body is JSON, so only a field of `P` can have failed: the path contains only our field names,
        // and no text from the sender.
        field: track.path().to_string(),
        line,
        column,
    }
}

/// An unknown event may be any JSON value (rule 8), but not a known event under another name (rule 7a).
fn unknown(event_type: &str, text: &str) -> Result<(), Error> {
    no_type(text, EventType::is_known, event_type)
}

/// Checks that the text is one JSON value (rule 6) and, if it is an object, that no `type` member contradicts the
/// header (rule 7a). It takes one pass, without recursion into nested values.
fn no_type(text: &str, contradicts: impl Fn(&str) -> bool, header: &str) -> Result<(), Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    let found = if text.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('{') {
        json.deserialize_map(FindType(contradicts))
    } else {
        IgnoredAny::deserialize(&mut json).map(|IgnoredAny| None)
    };
    match found.and_then(|found| json.end().map(|()| found)) {
        Ok(None) => Ok(()),
        Ok(Some(body)) => Err(Error::EventTypeMismatch { header: header.to_owned(), body }),
        Err(error) => Err(Error::InvalidJson { line: error.line(), column: error.column() }),
    }
}

/// Reads an object to its end and returns the first `type` member that satisfies the condition. Names and values
/// are read raw, since they may contain lone surrogates and numbers that fit no type.
struct FindType<F>(F);

impl<'de, F: Fn(&str) -> bool> Visitor<'de> for FindType<F> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some((name, value)) = members.next_entry::<&RawValue, &RawValue>()? {
            if found.is_none() && unescape(name).is_some_and(|name| name == "type") {
                found = unescape(value).filter(|text| (self.0)(text)).map(Cow::into_owned);
            }
        }
        Ok(found)
    }
}

/// Returns the text of a JSON string. `None` for any other value, and for a string that isn't valid Unicode.
fn unescape(raw: &RawValue) -> Option<Cow<'_, str>> {
    let text = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    if text.contains('\\') {
        serde_json::from_str(raw.get()).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(text))
    }
}

/// Returns where the text stops being UTF-8, counted as serde_json counts.
#[cold]
fn not_utf8(body: &[u8], error: Utf8Error) -> Error {
    let valid = body.get(..error.valid_up_to()).unwrap_or_default();
    let mut lines = valid.split(|byte| *byte == b'\n');
    let last = lines.next_back().unwrap_or_default();
    Error::InvalidJson {
        line: lines.count().saturating_add(1),
        column: last.len().saturating_add(1),
    }
}

#[cfg(test)]
mod tests;
