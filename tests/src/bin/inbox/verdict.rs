//! What the rows show.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

pub(crate) struct Verdict {
    pub(crate) runs: usize,
    pub(crate) effects: usize,
    /// Acknowledged, and without an effect.
    pub(crate) lost: usize,
    pub(crate) doubled: usize,
    pub(crate) run_after_their_record: usize,
    pub(crate) out_of_order: usize,
    pub(crate) dead: usize,
}

/// An effect's row, in the order of their commits.
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) repository: String,
    pub(crate) number: i64,
}

impl Verdict {
    pub(crate) fn of(acknowledged: &[String], effects: &[Row]) -> Self {
        let ids: BTreeSet<&str> = effects.iter().map(|row| &*row.id).collect();
        let mut last_of = BTreeMap::new();
        let mut out_of_order = 0;
        for row in effects {
            let last = last_of.insert(&row.repository, row.number);
            out_of_order += usize::from(last.is_some_and(|last| last > row.number));
        }
        Self {
            runs: 0,
            effects: effects.len(),
            lost: acknowledged.iter().filter(|id| !ids.contains(id.as_str())).count(),
            doubled: effects.len() - ids.len(),
            run_after_their_record: 0,
            out_of_order,
            dead: 0,
        }
    }

    pub(crate) fn is_good(&self) -> bool {
        [self.lost, self.doubled, self.run_after_their_record, self.out_of_order, self.dead]
            .iter()
            .all(|count| *count == 0)
            && self.effects > 0
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} runs, {} effects", self.runs, self.effects)?;
        writeln!(
            f,
            "{} lost, {} effects doubled, {} run after their record, {} out of order, {} dead",
            self.lost, self.doubled, self.run_after_their_record, self.out_of_order, self.dead
        )?;
        f.write_str(if self.is_good() { "all good" } else { "FAILED" })
    }
}
