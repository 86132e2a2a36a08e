//! Counts the deliveries of a run.

use std::time::Duration;

use serde::Serialize;

use crate::{exit::Exit, time};

/// How a delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    AsExpected,
    Unexpected,
    /// No answer, or nothing to send.
    Unreachable,
}

/// The counts of a run, and how long each answer took.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) as_expected: u64,
    pub(crate) unexpected: u64,
    pub(crate) unreachable: u64,
    pub(crate) attempts: u64,
    times: Vec<Duration>,
}

impl Tally {
    pub(crate) fn attempted(&mut self, answered_in: Option<Duration>) {
        self.attempts = self.attempts.saturating_add(1);
        self.times.extend(answered_in);
    }

    pub(crate) fn ended(&mut self, outcome: Outcome) {
        let count = match outcome {
            Outcome::AsExpected => &mut self.as_expected,
            Outcome::Unexpected => &mut self.unexpected,
            Outcome::Unreachable => &mut self.unreachable,
        };
        *count = count.saturating_add(1);
    }

    pub(crate) fn deliveries(&self) -> u64 {
        self.as_expected.saturating_add(self.not_as_expected())
    }

    pub(crate) fn not_as_expected(&self) -> u64 {
        self.unexpected.saturating_add(self.unreachable)
    }

    pub(crate) fn exit(&self) -> Exit {
        if self.unreachable > 0 {
            Exit::Failed
        } else if self.unexpected > 0 {
            Exit::Negative
        } else {
            Exit::AsExpected
        }
    }

    /// Returns how long the answers took, or `None` if there were none.
    pub(crate) fn latency(&self) -> Option<Latency> {
        let mut times = self.times.clone();
        times.sort_unstable();
        let rank = |percent: usize| {
            // The nearest rank is a time that was measured, never an interpolation.
            let rank = times.len().saturating_mul(percent).div_ceil(100).max(1);
            times.get(rank.saturating_sub(1)).copied().map(time::milliseconds)
        };
        Some(Latency {
            min: rank(0)?,
            p50: rank(50)?,
            p90: rank(90)?,
            p99: rank(99)?,
            max: rank(100)?,
        })
    }
}

/// In milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Latency {
    pub(crate) min: f64,
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_measured_times() {
        let mut tally = Tally::default();
        assert_eq!(tally.latency(), None);
        for ms in (1..=100).rev() {
            tally.attempted(Some(Duration::from_millis(ms)));
        }
        tally.attempted(None);
        let expected = Latency { min: 1.0, p50: 50.0, p90: 90.0, p99: 99.0, max: 100.0 };
        assert_eq!(tally.latency(), Some(expected));
        assert_eq!(tally.attempts, 101);
    }

    #[test]
    fn an_unreachable_server_outranks_an_unexpected_answer() {
        let mut tally = Tally::default();
        for (outcome, exit) in [
            (Outcome::AsExpected, Exit::AsExpected),
            (Outcome::Unexpected, Exit::Negative),
            (Outcome::Unreachable, Exit::Failed),
            (Outcome::Unexpected, Exit::Failed),
        ] {
            tally.ended(outcome);
            assert_eq!(tally.exit(), exit);
        }
        assert_eq!((tally.deliveries(), tally.not_as_expected()), (4, 3));
    }
}
