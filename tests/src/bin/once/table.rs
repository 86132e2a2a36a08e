//! The table of all faults.

use std::fmt;

use crate::phase::Figures;

const HEADER: [&str; 10] = [
    "fault",
    "runs",
    "cut off",
    "run again: cut off",
    "run again: not recorded in time",
    "run again: record lost by the store",
    "overlapped or started late: claim lost",
    "without a reason",
    "lost",
    "longest wait, s",
];

/// In Markdown, one line a fault.
pub(crate) struct Table(Vec<[String; 10]>);

impl Table {
    pub(crate) fn new() -> Self {
        Self(vec![HEADER.map(str::to_owned), HEADER.map(|_| "---".to_owned())])
    }

    pub(crate) fn add(&mut self, fault: &str, figures: &Figures) {
        self.0.push([
            format!("{fault} ({:.1} s)", figures.time.as_secs_f64()),
            figures.runs.to_string(),
            figures.cut_off.to_string(),
            figures.cut_off_again.to_string(),
            figures.unrecorded.to_string(),
            figures.record_lost.to_string(),
            format!("{} / {}", figures.overlapped, figures.woke_up),
            figures.unexplained.to_string(),
            figures.lost.to_string(),
            format!("{:.2}", figures.longest_wait.as_secs_f64()),
        ]);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|line| writeln!(f, "| {} |", line.join(" | ")))
    }
}
