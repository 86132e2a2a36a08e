//! The results, and what counts as good.

use std::{
    collections::BTreeMap,
    fmt::{self, Display},
};

/// How many kilobytes the memory may grow after the first tenth of the time.
const GROWTH: u64 = 16 << 10;

/// What a client counted.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) requests: u64,
    /// Responses by status, without informational ones.
    pub(crate) statuses: BTreeMap<u16, u64>,
    pub(crate) wrong: Vec<String>,
}

pub(crate) struct Report {
    name: &'static str,
    tally: Tally,
    pub(crate) seconds: f64,
    /// How often the server's handler ran. `None` if the server ended before it could report that.
    pub(crate) handled: Option<u64>,
    /// In kilobytes: at the start, after each tenth, and after all clients have disconnected.
    pub(crate) resident: Vec<Option<u64>>,
    pub(crate) open_at_start: Option<usize>,
    pub(crate) open_at_end: Option<usize>,
}

impl Report {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            tally: Tally::default(),
            seconds: 0.0,
            handled: None,
            resident: Vec::new(),
            open_at_start: None,
            open_at_end: None,
        }
    }

    pub(crate) fn add(&mut self, tally: Tally) {
        self.tally.requests += tally.requests;
        for (status, count) in tally.statuses {
            *self.tally.statuses.entry(status).or_default() += count;
        }
        self.tally.wrong.extend(tally.wrong);
    }

    /// Formats the latest memory measurement.
    pub(crate) fn tenth(&self) -> String {
        let last = self.resident.last().copied().flatten();
        format!("{} tenths, memory {}", self.resident.len() - 1, measured(last, "KiB"))
    }

    pub(crate) fn is_good(&self) -> bool {
        self.tally.wrong.is_empty()
            && self.is_handled_as_answered()
            && !self.grew()
            && self.open_at_end <= self.open_at_start
    }

    fn is_handled_as_answered(&self) -> bool {
        self.handled == Some(self.tally.statuses.get(&200).copied().unwrap_or_default())
    }

    fn grew(&self) -> bool {
        let after_a_tenth = self.resident.get(1).copied().flatten();
        let most = self.resident.iter().skip(2).copied().max().flatten();
        most.zip(after_a_tenth).is_some_and(|(most, before)| most > before + GROWTH)
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { requests, statuses, wrong } = &self.tally;
        let verdict = |is_good| if is_good { "good" } else { "BAD" };
        let rate = *requests as f64 / self.seconds;
        writeln!(
            f,
            "{}: {requests} requests in {:.0} s, {rate:.0} a second",
            self.name, self.seconds
        )?;
        writeln!(f, "  by status: {statuses:?}")?;
        let is_right = wrong.is_empty();
        writeln!(f, "  wrong responses: {} ({})", wrong.len(), verdict(is_right))?;
        for wrong in wrong.iter().take(10) {
            writeln!(f, "    {wrong}")?;
        }
        let handled =
            self.handled.map_or("the server is gone".to_owned(), |count| count.to_string());
        let is_handled = verdict(self.is_handled_as_answered());
        writeln!(f, "  handler runs: {handled} ({is_handled}: one for each 200)")?;
        let memory: Vec<_> = self.resident.iter().map(|kib| measured(*kib, "")).collect();
        let is_flat = verdict(!self.grew());
        let bound = GROWTH >> 10;
        writeln!(
            f,
            "  memory in KiB at the start, after each tenth, at the end: {}",
            memory.join(" ")
        )?;
        writeln!(f, "  memory after the first tenth: {is_flat}, at most {bound} MiB more")?;
        let [start, end] = [self.open_at_start, self.open_at_end].map(|count| measured(count, ""));
        let is_closed = verdict(self.open_at_end <= self.open_at_start);
        write!(f, "  open descriptors at the start and the end: {start} {end} ({is_closed})")
    }
}

fn measured(figure: Option<impl Display>, unit: &str) -> String {
    match figure {
        Some(figure) => format!("{figure} {unit}").trim_end().to_owned(),
        None => "not measured on this system".to_owned(),
    }
}
