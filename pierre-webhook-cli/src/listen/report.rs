//! Reports each delivery.

use std::{fmt::Write as _, path::Path, time::Instant};

use bytes::Bytes;
use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;

use super::{forwarded::Forwarded, memory::Duplicate, receive::Received};
use crate::{
    escape,
    exit::Failure,
    output::{BAD, DIM, GOOD, Output, WARNING},
    short_id::short_id,
    time,
};

/// What is known about a delivery before it is answered.
pub(super) struct Report<'a> {
    pub(super) received: &'a Received,
    pub(super) status: StatusCode,
    pub(super) duplicate: Option<Duplicate>,
    pub(super) forwarded: Option<&'a Forwarded>,
    pub(super) saved: Option<&'a Path>,
}

/// A delivery, as JSON.
#[derive(Serialize)]
struct DeliveryRecord<'a> {
    n: u64,
    at: Timestamp,
    verdict: &'static str,
    error: Option<String>,
    /// The status of the answer to the sender.
    status: u16,
    event: Option<&'a str>,
    signed_at: Option<u64>,
    age_s: Option<i64>,
    delivery_id: Option<String>,
    body_bytes: Option<usize>,
    duplicate_of: Option<u64>,
    resigned: Option<bool>,
    forward: Option<&'a Forwarded>,
    saved: Option<String>,
}

/// A delivery that was held, as JSON.
#[derive(Serialize)]
struct RedeliveryRecord<'a> {
    n: u64,
    held_ms: f64,
    redelivered: &'a Forwarded,
}

/// Reports a delivery.
pub(super) fn report(output: &Output, report: &Report<'_>) -> Result<(), Failure> {
    output.record(&record(report))?;
    let mut lines = line(report);
    if output.is_verbose() {
        push_in_full(&mut lines, report.received);
    }
    if let Some(answer) = report.forwarded.and_then(Forwarded::answer_lines) {
        let _ = write!(lines, "\n{answer}");
    }
    output.data(lines)
}

/// Reports a delivery that was held and has been forwarded.
pub(super) fn report_redelivery(
    output: &Output,
    n: u64,
    since: Instant,
    forwarded: &Forwarded,
) -> Result<(), Failure> {
    let held = since.elapsed();
    output.record(&RedeliveryRecord {
        n,
        held_ms: time::milliseconds(held),
        redelivered: forwarded,
    })?;
    let mut lines = format!("#{n}  held for {} s", held.as_secs());
    forwarded.push_to(&mut lines);
    if let Some(answer) = forwarded.answer_lines() {
        let _ = write!(lines, "\n{answer}");
    }
    output.data(lines)
}

fn record<'a>(report: &Report<'a>) -> DeliveryRecord<'a> {
    let received = report.received;
    DeliveryRecord {
        n: received.n,
        at: received.at,
        verdict: if received.verdict.is_ok() { "verified" } else { "refused" },
        error: received.verdict.as_ref().err().map(ToString::to_string),
        status: report.status.as_u16(),
        event: received.event_type(),
        signed_at: received.signed_at(),
        age_s: received.age(),
        delivery_id: received.id().map(|id| id.to_string()),
        body_bytes: received.body.as_ref().map(Bytes::len),
        duplicate_of: report.duplicate.map(|duplicate| duplicate.of),
        resigned: report.duplicate.map(|duplicate| duplicate.is_resigned),
        forward: report.forwarded,
        saved: report.saved.map(|path| path.display().to_string()),
    }
}

fn line(report: &Report<'_>) -> String {
    let received = report.received;
    let time = received.at.strftime("%H:%M:%SZ");
    let event = received.event_type().unwrap_or("-");
    let mut line = format!("#{}  {DIM}{time}{DIM:#}  {}  ", received.n, escape::text(event));
    let _ = match &received.verdict {
        Ok(0) => write!(line, "{GOOD}verified{GOOD:#}"),
        Ok(index) => write!(line, "{GOOD}verified{GOOD:#} by secret {}", index.saturating_add(1)),
        Err(error) => write!(line, "{BAD}{}{BAD:#}", escape::text(&error.to_string())),
    };
    if let Some(age) = received.age() {
        let _ = write!(line, "  age {age} s");
    }
    let _ = write!(line, "  answered {}", report.status.as_u16());
    if let Some(forwarded) = report.forwarded {
        forwarded.push_to(&mut line);
    }
    if let Some(id) = received.id() {
        let _ = write!(line, "  {DIM}id {}{DIM:#}", short_id(id));
    }
    if let Some(Duplicate { of, is_resigned }) = report.duplicate {
        let resigned = if is_resigned { ", re-signed" } else { "" };
        let _ = write!(line, "  {WARNING}duplicate of #{of}{resigned}{WARNING:#}");
    }
    line
}

/// Appends the request line and the body. Each line starts with a mark, so that a body cannot imitate the command's own
/// lines.
fn push_in_full(lines: &mut String, received: &Received) {
    let path = received.head.uri.path_and_query().map_or("/", |path| path.as_str());
    let path = escape::text(path);
    let _ = write!(lines, "\n    | {} {path}", escape::text(received.head.method.as_str()));
    match &received.body {
        Some(body) => {
            for line in body.split(|byte| *byte == b'\n') {
                let _ = write!(lines, "\n    | {}", escape::bytes(line));
            }
        }
        None => lines.push_str("\n    | (the body is too large or incomplete)"),
    }
}
