//! The results of a phase.

use std::fmt;

use pierre_webhook_core::DeliveryId;

pub(crate) struct Report {
    lines: Vec<String>,
    is_good: bool,
}

impl Report {
    pub(crate) fn new(title: String) -> Self {
        Self { lines: vec![title], is_good: true }
    }

    pub(crate) fn say(&mut self, line: String) {
        self.lines.push(line);
    }

    /// Adds a line with a verdict. The report is good only if all verdicts are.
    pub(crate) fn must(&mut self, is_good: bool, line: String) {
        let verdict = if is_good { "good" } else { "BAD" };
        self.say(format!("{line} ({verdict})"));
        self.is_good &= is_good;
    }

    pub(crate) fn must_be_none(&mut self, what: &str, count: usize) {
        self.must(count == 0, format!("{what}: {count}"));
    }

    /// Like `must_be_none`, and lists the first ten ids, to be looked up in the journals.
    pub(crate) fn must_be_none_of(&mut self, what: &str, deliveries: &[DeliveryId]) {
        self.must_be_none(what, deliveries.len());
        for id in deliveries.iter().take(10) {
            self.say(format!("  {id}"));
        }
    }

    pub(crate) fn is_good(&self) -> bool {
        self.is_good
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines.join("\n  "))?;
        writeln!(f)
    }
}
