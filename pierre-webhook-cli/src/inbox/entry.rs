//! How a stored delivery is printed.

use std::{fmt::Write as _, time::SystemTime};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use pierre_webhook_inbox::{Entry, State};
use serde_json::{Value, json};

use crate::{
    escape,
    output::{BAD, DIM, GOOD, WARNING},
};

/// How much of an error fits on its line, in characters.
const SHORT: usize = 100;

/// Everything on one line.
pub(super) fn line(entry: &Entry) -> String {
    let style = match entry.state {
        State::Dead => BAD,
        State::Done => GOOD,
        State::Running => WARNING,
        _ => DIM,
    };
    let mut line = format!(
        "{style}{:7}{style:#}  {}  {}  {}",
        entry.state,
        entry.id,
        timestamp(entry.received_at),
        escape::text(&entry.event_type)
    );
    if let Some(lane) = &entry.lane {
        let _ = write!(line, "  {}", escape::text(lane));
    }
    if entry.tries > 0 {
        let _ = write!(line, "  {DIM}tries{DIM:#} {}", entry.tries);
    }
    if let Some(error) = &entry.error {
        let _ = write!(line, "  {}", escape::truncated(error, SHORT));
    }
    line
}

/// A line for each fact, then the body.
pub(super) fn details(entry: &Entry, body: Option<&[u8]>) -> String {
    let ended_at = entry.ended_at.map(timestamp);
    let facts = [
        ("id", Some(entry.id.to_string())),
        ("state", Some(entry.state.to_string())),
        ("event", Some(entry.event_type.clone())),
        ("repository", entry.lane.clone()),
        ("tenant", entry.tenant.clone()),
        ("received", Some(timestamp(entry.received_at))),
        ("due", ended_at.is_none().then(|| timestamp(entry.due))),
        ("ended", ended_at),
        ("tries", Some(entry.tries.to_string())),
        ("attempt", Some(entry.attempt.to_string())),
        ("error", entry.error.clone()),
    ];
    let mut text = String::new();
    for (name, value) in facts {
        if let Some(value) = value {
            let _ = writeln!(text, "{DIM}{name:10}{DIM:#}  {}", escape::text(&value));
        }
    }
    match body {
        Some(body) => text + &escape::bytes(body),
        None => text + "(the body was pruned)",
    }
}

pub(super) fn record(entry: &Entry) -> Value {
    json!({
        "id": entry.id.to_string(),
        "state": entry.state.as_str(),
        "event": entry.event_type,
        "repository": entry.lane,
        "tenant": entry.tenant,
        "received_at": timestamp(entry.received_at),
        "due": timestamp(entry.due),
        "ended_at": entry.ended_at.map(timestamp),
        "tries": entry.tries,
        "attempt": entry.attempt,
        "error": entry.error,
    })
}

/// With `body` if it is text, else `body_base64`; both are missing if it was pruned.
pub(super) fn record_with_body(entry: &Entry, body: Option<&[u8]>) -> Value {
    let mut record = record(entry);
    if let (Some(body), Some(members)) = (body, record.as_object_mut()) {
        match str::from_utf8(body) {
            Ok(text) => members.insert("body".to_owned(), text.into()),
            Err(_) => members.insert("body_base64".to_owned(), BASE64_STANDARD.encode(body).into()),
        };
    }
    record
}

/// RFC 3339, in milliseconds.
fn timestamp(time: SystemTime) -> String {
    let time = Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{time:.3}")
}
