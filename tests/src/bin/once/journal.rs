//! A server's record of its handler's runs: one line per event, written before the server continues, so that a
//! killed process has recorded everything that it did.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use pierre_webhook_core::DeliveryId;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The handler started.
    Run,
    /// It succeeded.
    Done,
    /// It failed.
    Failed,
    /// It was dropped before it ended.
    Dropped,
    /// The store confirmed that the delivery is completed.
    Recorded,
}

impl Event {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Run, "run"),
        (Self::Done, "done"),
        (Self::Failed, "failed"),
        (Self::Dropped, "dropped"),
        (Self::Recorded, "recorded"),
    ];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(event, _)| *event == self).map_or("", |(_, name)| name)
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, other)| *other == name).map(|(event, _)| *event)
    }
}

/// The journal of one server.
pub(crate) struct Journal(File);

impl Journal {
    pub(crate) fn create(path: &str) -> Self {
        Self(File::create_new(path).expect("a new file"))
    }

    pub(crate) fn write(&self, event: Event, id: DeliveryId) {
        // In one write, so that a kill can't split it.
        let line = format!("{} {id} {}\n", event.name(), now());
        (&self.0).write_all(line.as_bytes()).expect("a journal");
    }

    /// Records that the handler started. If no end is recorded, the run was dropped.
    pub(crate) fn run(self: &Arc<Self>, id: DeliveryId) -> Running {
        self.write(Event::Run, id);
        Running { journal: Arc::clone(self), id, end: Event::Dropped }
    }
}

pub(crate) struct Running {
    journal: Arc<Journal>,
    id: DeliveryId,
    end: Event,
}

impl Running {
    pub(crate) fn end(mut self, end: Event) {
        self.end = end;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.journal.write(self.end, self.id);
    }
}

pub(crate) struct Entry {
    pub(crate) event: Event,
    pub(crate) id: DeliveryId,
    /// Nanoseconds of the system clock, which all processes share.
    pub(crate) at: u64,
}

impl Entry {
    /// Reads all lines of a journal, except a last one without a newline.
    pub(crate) fn all(path: &Path) -> Vec<Self> {
        let journal = fs::read_to_string(path).expect("a journal");
        let lines = journal.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
        lines.map(|line| Self::read(line).expect("a line of a journal")).collect()
    }

    fn read(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        Some(Self {
            event: Event::named(words.next()?)?,
            id: words.next()?.parse().ok()?,
            at: words.next()?.parse().ok()?,
        })
    }
}

/// Returns how many of a server's runs are in progress.
pub(crate) fn alive(path: &Path) -> usize {
    let (mut runs, mut ends) = (0, 0);
    for entry in Entry::all(path) {
        match entry.event {
            Event::Run => runs += 1,
            Event::Done | Event::Failed | Event::Dropped => ends += 1,
            Event::Recorded => {}
        }
    }
    runs - ends
}

pub(crate) fn now() -> u64 {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    u64::try_from(time.as_nanos()).expect("a clock before 2554")
}
