//! From bytes to a typed event: rules 6, 7a, 7b and 8.

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
    /// This verifies nothing. A body from the network goes through a [`Verifier`](crate::Verifier).
    ///
    /// # Errors
    ///
    /// [`Error::MissingEventHeader`] if `event_type` isn't 1 to 128 characters `!` to `~` without a comma,
    /// [`Error::InvalidJson`], [`Error::EventTypeMismatch`] or [`Error::InvalidPayload`]. Their texts are those
    /// of a rejected delivery, so they call `event_type` the header.
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

/// One pass where all is well: a payload that was read to its end is JSON, and its `type` is the header's.
/// Only where it is not are the rules asked one by one.
fn known<P: Payload>(text: &str) -> Result<P, Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    object(&mut json)
        .and_then(|payload| json.end().map(|()| payload))
        .map_err(|_| why_not::<P>(text))
}

/// Why a body is not the payload `P`: the first of the rules 6, 7a and 7b that it breaks.
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
        // The body is JSON, so that only a field of `P` can have failed: the path holds our names alone
        // and nothing of the sender's.
        field: track.path().to_string(),
        line,
        column,
    }
}

/// Rule 8: an unknown event may be any JSON value. Rule 7a: but not a known event under another name.
fn unknown(event_type: &str, text: &str) -> Result<(), Error> {
    no_type(text, EventType::is_known, event_type)
}

/// Rules 6 and 7a: the text is one JSON value and, where that is an object, no `type` member of it is of
/// the kind that contradicts the header. One pass, iterative however deep the values are.
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

/// Finds the first `type` member, of an object read to its end, that satisfies the condition. Names and
/// values are taken raw, since they may hold lone surrogates and numbers out of every range.
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

/// The text of a JSON string; `None` for any other value, and for a string that is no Unicode text.
fn unescape(raw: &RawValue) -> Option<Cow<'_, str>> {
    let text = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    if text.contains('\\') {
        serde_json::from_str(raw.get()).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(text))
    }
}

/// Where the text breaks off, as serde_json counts.
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
