//! The figures as a Markdown table, and their bounds.

use std::{fmt, thread};

use crate::child::Framework;

pub(crate) const KIB: usize = 1 << 10;
pub(crate) const MIB: usize = 1 << 20;

/// A figure, in bytes, and the most that it may be.
pub(crate) struct Cell {
    figure: Option<usize>,
    bound: usize,
    note: String,
}

impl Cell {
    pub(crate) fn new(figure: usize, bound: usize) -> Self {
        Self { figure: Some(figure), bound, note: String::new() }
    }

    /// There is nothing to measure.
    pub(crate) fn none() -> Self {
        Self { figure: None, bound: 0, note: String::new() }
    }

    pub(crate) fn note(self, note: String) -> Self {
        Self { note, ..self }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.figure {
            None => f.write_str("–"),
            Some(figure) if self.note.is_empty() => f.write_str(&size(figure)),
            Some(figure) => write!(f, "{} ({})", size(figure), self.note),
        }
    }
}

#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<(String, [Cell; 2])>,
}

impl Table {
    /// Measures a case in both frameworks. `of` says how many connections, streams or deliveries a figure is the mean of.
    pub(crate) fn row(&mut self, case: &str, of: &str, measure: impl Fn(Framework) -> Cell + Sync) {
        let case = format!("{case} | {of}");
        // Each in a process of its own, so both may be measured at once.
        let cells = thread::scope(|scope| {
            let actix = scope.spawn(|| measure(Framework::Actix));
            let axum = measure(Framework::Axum);
            [axum, actix.join().expect("a measurement")]
        });
        self.rows.push((case, cells));
    }

    pub(crate) fn assert_bounds(&self) {
        let over: Vec<_> = self
            .rows
            .iter()
            .flat_map(|(case, cells)| cells.iter().map(move |cell| (case, cell)))
            .filter(|(_, cell)| cell.figure.is_some_and(|figure| figure > cell.bound))
            .map(|(case, cell)| format!("{case}: {cell}, more than {}", size(cell.bound)))
            .collect();
        assert!(over.is_empty(), "{}", over.join("\n"));
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| case | mean of | axum (hyper, h2 0.4) | actix (h2 0.3) |")?;
        writeln!(f, "| --- | --- | ---: | ---: |")?;
        self.rows
            .iter()
            .try_for_each(|(case, [axum, actix])| writeln!(f, "| {case} | {axum} | {actix} |"))
    }
}

pub(crate) fn size(bytes: usize) -> String {
    match bytes {
        0..KIB => format!("{bytes} B"),
        KIB..MIB => format!("{:.1} KiB", bytes as f64 / KIB as f64),
        _ => format!("{:.2} MiB", bytes as f64 / MIB as f64),
    }
}
