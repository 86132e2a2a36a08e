//! What the journals of all servers say about each delivery.

use std::{
    collections::BTreeMap,
    ops::Range,
    thread,
    time::{Duration, Instant},
};

use pierre_webhook_core::DeliveryId;

use crate::{
    journal::{Entry, Event},
    servers::Life,
};

/// Longer than the pauses between a server's attempts in the background.
const PATIENCE: Duration = Duration::from_secs(60);

/// One run of the handler.
pub(crate) struct Run {
    pub(crate) start: u64,
    end: Option<(Event, u64)>,
    /// If its process ended, a time at which it was still alive.
    pub(crate) killed: Option<u64>,
    /// If its process was frozen, when.
    frozen: Option<Range<u64>>,
}

impl Run {
    pub(crate) fn ended_as(&self, event: Event) -> bool {
        self.end.is_some_and(|(end, _)| end == event)
    }

    /// Returns true if its process was frozen while it was in progress, or up to this much later.
    pub(crate) fn was_frozen(&self, later: u64) -> bool {
        let end = self.alive_until().saturating_add(later);
        self.frozen.as_ref().is_some_and(|frozen| self.start < frozen.end && frozen.start < end)
    }

    /// Returns true if it started when its process woke up.
    pub(crate) fn woke_up(&self) -> bool {
        let soon = Duration::from_secs(1).as_nanos() as u64;
        self.frozen
            .as_ref()
            .is_some_and(|frozen| (frozen.end..frozen.end + soon).contains(&self.start))
    }

    /// Returns true if it was in progress when its process ended.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.end.is_none() && self.killed.is_some()
    }

    /// Returns the last time at which it was certainly in progress.
    pub(crate) fn alive_until(&self) -> u64 {
        self.end.map(|(_, end)| end).or(self.killed).unwrap_or(u64::MAX)
    }
}

/// One delivery.
#[derive(Default)]
pub(crate) struct History {
    /// Ordered by when they started.
    pub(crate) runs: Vec<Run>,
    /// When its completion was first reported as recorded.
    pub(crate) recorded: Option<u64>,
}

impl History {
    /// Returns true if its work was done by a process that was killed before it could report the record.
    pub(crate) fn is_recorded_unsaid(&self) -> bool {
        let is_done = |run: &Run| run.ended_as(Event::Done) && run.killed.is_some();
        self.recorded.is_none() && self.runs.iter().any(is_done)
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.recorded.is_none() && !self.is_recorded_unsaid()
    }

    pub(crate) fn runs_since(&self, time: u64) -> usize {
        self.runs.iter().filter(|run| run.start > time).count()
    }

    pub(crate) fn runs_after_recorded(&self) -> usize {
        self.recorded.map_or(0, |recorded| self.runs_since(recorded))
    }

    /// Returns the first run that was done, if another run started after it and before the record.
    pub(crate) fn repeated_unrecorded(&self) -> Option<&Run> {
        let done = self.runs.iter().filter(|run| run.ended_as(Event::Done));
        let first = done.min_by_key(|run| run.alive_until())?;
        (self.runs_since(first.alive_until()) > self.runs_after_recorded()).then_some(first)
    }

    /// Returns each two runs of which the second started while the first was in progress.
    pub(crate) fn overlaps(&self) -> impl Iterator<Item = (&Run, &Run)> {
        self.runs.iter().enumerate().flat_map(|(number, second)| {
            let earlier = self.runs[..number].iter();
            earlier
                .filter(|first| second.start < first.alive_until())
                .map(move |first| (first, second))
        })
    }

    /// Returns the runs that started after the record.
    pub(crate) fn after_recorded(&self) -> impl Iterator<Item = &Run> {
        let recorded = self.recorded.unwrap_or(u64::MAX);
        self.runs.iter().filter(move |run| run.start > recorded)
    }

    /// For each run that was cut off, returns how long after its process another started.
    pub(crate) fn waits(&self) -> impl Iterator<Item = Duration> {
        self.runs.iter().filter(|run| run.is_cut_off()).filter_map(|run| {
            let next = self.runs.iter().find(|later| later.start > run.start)?;
            Some(Duration::from_nanos(next.start.saturating_sub(run.alive_until())))
        })
    }

    /// For each run that was cut off, returns whether a later one was done.
    pub(crate) fn cut_off(&self) -> impl Iterator<Item = bool> {
        let is_done_after = |start| {
            self.runs.iter().any(|later| later.start > start && later.ended_as(Event::Done))
        };
        let cut_off = self.runs.iter().filter(|run| run.is_cut_off());
        cut_off.map(move |run| is_done_after(run.start))
    }

    fn join(&mut self, mut other: Self) {
        self.runs.append(&mut other.runs);
        self.runs.sort_by_key(|run| run.start);
        self.recorded = [self.recorded, other.recorded].into_iter().flatten().min();
    }

    fn add(&mut self, entry: &Entry, killed: Option<u64>, frozen: Option<&Range<u64>>) {
        let Entry { event, at, .. } = *entry;
        match event {
            Event::Run => {
                self.runs.push(Run { start: at, end: None, killed, frozen: frozen.cloned() });
            }
            Event::Recorded => {
                self.recorded = Some(self.recorded.map_or(at, |first| first.min(at)));
            }
            Event::Done | Event::Failed | Event::Dropped => {
                let run = self.runs.iter_mut().rev().find(|run| run.end.is_none());
                run.expect("a run before its end").end = Some((event, at));
            }
        }
    }
}

/// All deliveries that were sent.
pub(crate) struct Histories(BTreeMap<DeliveryId, History>);

impl Histories {
    pub(crate) fn read(ids: &[DeliveryId], lives: &[Life]) -> Self {
        let mut histories: BTreeMap<_, _> =
            ids.iter().map(|id| (*id, History::default())).collect();
        for life in lives {
            // One life at a time, so that no run is ended by the entry of another server.
            let mut of_life = BTreeMap::<_, History>::new();
            for entry in Entry::all(&life.journal) {
                of_life.entry(entry.id).or_default().add(&entry, life.killed, life.frozen.as_ref());
            }
            for (id, history) in of_life {
                histories.get_mut(&id).expect("a delivery that was sent").join(history);
            }
        }
        Self(histories)
    }

    /// Waits until every delivery that was answered with success is recorded, which may happen in the background.
    pub(crate) fn settled(ids: &[DeliveryId], lives: &[Life]) -> Self {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let histories = Self::read(ids, lives);
            if histories.of(History::is_lost).is_empty() || Instant::now() > deadline {
                return histories;
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn of(&self, is_meant: impl Fn(&History) -> bool) -> Vec<DeliveryId> {
        let meant = self.0.iter().filter(|(_, history)| is_meant(history));
        meant.map(|(id, _)| *id).collect()
    }

    pub(crate) fn count(&self, of: impl Fn(&History) -> usize) -> usize {
        self.0.values().map(of).sum()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (DeliveryId, &History)> {
        self.0.iter().map(|(id, history)| (*id, history))
    }

    pub(crate) fn runs(&self, is_meant: impl Fn(&Run) -> bool) -> usize {
        self.count(|history| history.runs.iter().filter(|run| is_meant(run)).count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: [u8; 32] = [7; 32];

    /// Events with their times, and when their process was killed.
    type Life<'a> = (&'a [(Event, u64)], Option<u64>);

    fn history(lives: &[Life<'_>]) -> History {
        let mut all = History::default();
        for (events, killed) in lives {
            let mut life = History::default();
            for (event, at) in *events {
                life.add(&Entry { event: *event, id: ID.into(), at: *at }, *killed, None);
            }
            all.join(life);
        }
        all
    }

    #[test]
    fn a_run_after_the_record_is_counted() {
        let first = [(Event::Run, 1), (Event::Done, 2), (Event::Recorded, 4)];
        let figures = |history: History| {
            (history.runs_after_recorded(), history.repeated_unrecorded().is_some())
        };
        assert_eq!(figures(history(&[(&first, None)])), (0, false));
        let unrecorded = history(&[(&first, None), (&[(Event::Run, 3), (Event::Done, 5)], None)]);
        assert_eq!(figures(unrecorded), (0, true));
        let again = history(&[(&first, None), (&[(Event::Run, 5), (Event::Done, 6)], None)]);
        assert_eq!(figures(again), (1, false));
    }

    #[test]
    fn a_run_that_starts_during_another_overlaps() {
        let second = [(Event::Run, 5), (Event::Done, 6)];
        for (first, killed, overlaps) in [
            (&[(Event::Run, 1), (Event::Failed, 4)][..], None, false),
            (&[(Event::Run, 1), (Event::Done, 7)], None, true),
            (&[(Event::Run, 1)], None, true),
            (&[(Event::Run, 1)], Some(4), false),
            (&[(Event::Run, 1)], Some(7), true),
        ] {
            let history = history(&[(&second, None), (first, killed)]);
            assert_eq!(history.overlaps().count() > 0, overlaps, "{first:?} {killed:?}");
        }
    }

    #[test]
    fn a_delivery_that_was_cut_off_is_lost_unless_it_is_done_later() {
        let cut_off: (&[_], _) = (&[(Event::Run, 1)], Some(2));
        let lost = history(&[cut_off]);
        assert_eq!((lost.is_lost(), lost.cut_off().collect()), (true, vec![false]));
        let later = [(Event::Run, 3), (Event::Done, 4), (Event::Recorded, 5)];
        let handled = history(&[cut_off, (&later, None)]);
        assert_eq!((handled.is_lost(), handled.cut_off().collect()), (false, vec![true]));
        let done = [(Event::Run, 1), (Event::Done, 2)];
        assert!(history(&[(&done, None)]).is_lost());
        assert!(history(&[(&done, Some(3))]).is_recorded_unsaid());
    }
}
