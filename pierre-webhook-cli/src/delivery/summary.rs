//! The summary of a run, as JSON and as text.

use std::fmt::Write as _;

use serde::Serialize;

use super::tally::{Latency, Tally};

/// The last line of a run, as JSON.
#[derive(Serialize)]
pub(super) struct SummaryRecord {
    summary: Summary,
}

#[derive(Serialize)]
struct Summary {
    deliveries: u64,
    as_expected: u64,
    unexpected: u64,
    unreachable: u64,
    attempts: u64,
    interrupted: bool,
    ms: Option<Latency>,
}

impl SummaryRecord {
    pub(super) fn new(tally: &Tally, interrupted: bool) -> Self {
        Self {
            summary: Summary {
                deliveries: tally.deliveries(),
                as_expected: tally.as_expected,
                unexpected: tally.unexpected,
                unreachable: tally.unreachable,
                attempts: tally.attempts,
                interrupted,
                ms: tally.latency(),
            },
        }
    }
}

/// Returns the summary as text.
pub(super) fn text(tally: &Tally, expected: &str) -> String {
    let mut text = format!(
        "{} of {} deliveries answered {expected}, {} answered otherwise, {} unanswered; {} attempts",
        tally.as_expected,
        tally.deliveries(),
        tally.unexpected,
        tally.unreachable,
        tally.attempts,
    );
    if let Some(Latency { min, p50, p90, p99, max }) = tally.latency() {
        let _ = write!(text, "\nms: min {min}, p50 {p50}, p90 {p90}, p99 {p99}, max {max}");
    }
    text
}
