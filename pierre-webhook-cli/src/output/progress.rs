//! The progress bar on standard error.

use std::io::{self, Write as _};

/// How far a run has come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    pub(crate) done: u64,
    pub(crate) total: u64,
    pub(crate) not_as_expected: u64,
}

/// The text on the last line of the terminal, if there is any.
#[derive(Default)]
pub(crate) struct Bar {
    line: Option<String>,
}

impl Bar {
    pub(crate) fn update(&mut self, progress: &Progress) {
        let line = line(progress);
        if self.line.as_ref() != Some(&line) {
            self.hide();
            self.line = Some(line);
            self.show();
        }
    }

    pub(crate) fn end(&mut self) {
        self.hide();
        self.line = None;
    }

    /// Clears the line, so that another one can be printed.
    pub(crate) fn hide(&self) {
        if let Some(line) = &self.line {
            write(&format!("\r{:width$}\r", "", width = line.chars().count()));
        }
    }

    pub(crate) fn show(&self) {
        if let Some(line) = &self.line {
            write(line);
        }
    }
}

/// Uses only carriage returns and spaces, which work on every terminal.
fn write(text: &str) {
    let mut stderr = io::stderr();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

fn line(progress: &Progress) -> String {
    const WIDTH: usize = 24;
    let Progress { done, total, not_as_expected } = *progress;
    let filled = u128::from(done)
        .saturating_mul(WIDTH as u128)
        .checked_div(total.into())
        .and_then(|filled| usize::try_from(filled).ok())
        .map_or(WIDTH, |filled| filled.min(WIDTH));
    let (filled, rest) = ("#".repeat(filled), ".".repeat(WIDTH.saturating_sub(filled)));
    match not_as_expected {
        0 => format!("[{filled}{rest}] {done}/{total}"),
        other => format!("[{filled}{rest}] {done}/{total}, {other} not as expected"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills_as_deliveries_are_done() {
        let at = |done, not_as_expected| line(&Progress { done, total: 4, not_as_expected });
        assert_eq!(at(0, 0), "[........................] 0/4");
        assert_eq!(at(2, 1), "[############............] 2/4, 1 not as expected");
        assert_eq!(at(4, 0), "[########################] 4/4");
        assert!(line(&Progress { done: 0, total: 0, not_as_expected: 0 }).ends_with("] 0/0"));
    }
}
