//! The place of the one connection: whether there is one, whether one is being made, and when the next may be.

use std::time::Duration;

use tokio::{sync::watch, time::Instant};

use super::{connection::Connection, failure::Failure};

/// How long connecting may take. Longer than an operation: a later one uses the connection.
pub(super) const CONNECT: Duration = Duration::from_secs(2);
/// The pause after the second failure in a row. There is none after the first, since the name may lead to another
/// server by now. Each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

pub(super) struct Slot {
    /// Counts the attempts to connect, each of which numbers the connection that it makes.
    attempts: u64,
    /// How often an attempt or a connection has failed since the server last took a write.
    failures: u32,
    stage: Stage,
}

enum Stage {
    Disconnected,
    /// No attempt begins before `until`. Operations fail with the last failure.
    Paused {
        until: Instant,
        failure: Failure,
    },
    /// Not waited for past `until`: nobody may be driving its runtime any more.
    Connecting {
        until: Instant,
        attempt: Attempt,
    },
    Connected(Connection),
}

/// Receives the outcome of an attempt to connect.
pub(super) type Attempt = watch::Receiver<Option<Outcome>>;
pub(super) type Outcome = Result<Connection, Failure>;

/// What an operation does for a connection.
pub(super) enum Found {
    Connection(Connection),
    /// It waits for this attempt.
    Attempt(Attempt),
    /// It makes the attempt with this number, and reports its outcome here.
    Nothing {
        number: u64,
        report: watch::Sender<Option<Outcome>>,
        attempt: Attempt,
    },
}

impl Slot {
    pub(super) fn new() -> Self {
        Self { attempts: 0, failures: 0, stage: Stage::Disconnected }
    }

    /// Finds the connection or the attempt to make it, or begins an attempt.
    pub(super) fn find(&mut self) -> Result<Found, Failure> {
        let now = Instant::now();
        match &self.stage {
            Stage::Connected(connection) => return Ok(Found::Connection(connection.clone())),
            // If the runtime of an attempt has ended, its channel is closed.
            Stage::Connecting { until, attempt }
                if attempt.has_changed().is_ok() && now < *until =>
            {
                return Ok(Found::Attempt(attempt.clone()));
            }
            Stage::Paused { until, failure } if now < *until => return Err(failure.clone()),
            Stage::Connecting { .. } | Stage::Paused { .. } | Stage::Disconnected => {}
        }
        let (report, attempt) = watch::channel(None);
        self.attempts = self.attempts.wrapping_add(1);
        let until = now.checked_add(CONNECT).unwrap_or(now);
        self.stage = Stage::Connecting { until, attempt: attempt.clone() };
        Ok(Found::Nothing { number: self.attempts, report, attempt })
    }

    /// Keeps the outcome of an attempt, unless there was a newer one.
    pub(super) fn attempted(&mut self, number: u64, outcome: &Outcome) {
        match outcome {
            _ if self.attempts != number => {}
            Ok(connection) => self.stage = Stage::Connected(connection.clone()),
            Err(failure) => self.fail(failure),
        }
    }

    /// Drops the connection, unless there was a newer attempt.
    pub(super) fn disconnect(&mut self, number: u64, failure: &Failure) {
        if self.attempts == number && matches!(self.stage, Stage::Connected(_)) {
            self.fail(failure);
        }
    }

    /// The server took a write, so the next failure is the first one.
    pub(super) fn worked(&mut self, number: u64) {
        if self.attempts == number {
            self.failures = 0;
        }
    }

    fn fail(&mut self, failure: &Failure) {
        self.failures = self.failures.saturating_add(1);
        let now = Instant::now();
        let until = now.checked_add(pause(self.failures)).unwrap_or(now);
        self.stage = Stage::Paused { until, failure: failure.clone() };
    }
}

fn pause(failures: u32) -> Duration {
    match failures.checked_sub(2) {
        None => Duration::ZERO,
        Some(doublings) => {
            FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(doublings)).min(LONGEST_PAUSE)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_no_longer_than_the_failures_before_it_took_and_has_a_cap() {
        let pauses: Vec<_> = (1..=10).map(|failures| pause(failures).as_millis()).collect();
        assert_eq!(pauses, [0, 5, 10, 20, 40, 80, 160, 250, 250, 250]);
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
    }

    #[tokio::test(start_paused = true)]
    async fn operations_fail_with_the_last_failure_until_the_pause_is_over() {
        let mut slot = Slot::new();
        let failed = |reason: &str| Err(Failure::Unconnected(reason.to_owned()));
        for (attempts, reason) in [(1, "first"), (2, "second")] {
            assert_eq!(found(&mut slot), Ok(attempts));
            slot.attempted(attempts, &failed(reason));
        }
        let refused = Err("no connection to Redis: second".to_owned());
        assert_eq!(found(&mut slot), refused);
        tokio::time::advance(FIRST_PAUSE - Duration::from_millis(1)).await;
        assert_eq!(found(&mut slot), refused);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(found(&mut slot), Ok(3));
        slot.worked(3);
        slot.attempted(3, &failed("third"));
        assert_eq!(found(&mut slot), Ok(4), "the first failure since the server worked");
        slot.attempted(3, &failed("late"));
        slot.worked(3);
        slot.attempted(4, &failed("fourth"));
        assert_eq!(found(&mut slot), Err("no connection to Redis: fourth".to_owned()));
    }

    /// Returns the number of the attempt that begins, or the failure.
    fn found(slot: &mut Slot) -> Result<u64, String> {
        match slot.find() {
            Ok(Found::Nothing { number, .. }) => Ok(number),
            Ok(Found::Connection(_) | Found::Attempt(_)) => Err("an attempt before".to_owned()),
            Err(failure) => Err(failure.to_string()),
        }
    }
}
