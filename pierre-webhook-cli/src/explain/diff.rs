//! `explain --wire A --app B`: how the bytes that arrived differ from those that the application saw.

use std::{fmt::Write as _, path::Path};

use serde::Serialize;

use super::{
    forms::body::{self, BodyForm},
    read,
};
use crate::{
    escape,
    exit::{Exit, Failure},
    output::{BAD, DIM, GOOD, Output},
};

/// The comparison, as JSON.
#[derive(Serialize)]
struct DiffRecord {
    verdict: &'static str,
    wire_bytes: usize,
    app_bytes: usize,
    /// The first byte that differs, from 0.
    offset: Option<usize>,
    line: Option<usize>,
    column: Option<usize>,
    /// How the application's body was made from the one on the wire, if known.
    form: Option<String>,
    fix: Option<&'static str>,
}

/// Compares two files.
pub(super) fn run(wire: &Path, app: &Path, output: &Output) -> Result<Exit, Failure> {
    let (wire, app) = (read::body(wire)?, read::body(app)?);
    let Some(difference) = Difference::between(&wire, &app) else {
        output.record(&record(&wire, &app, None, None))?;
        output.data(format_args!("{GOOD}same{GOOD:#}: {} bytes each", wire.len()))?;
        return Ok(Exit::AsExpected);
    };
    let forms = body::forms(&wire);
    let form = forms.iter().find(|form| form.change.is_some() && form.bytes == app);
    output.record(&record(&wire, &app, Some(&difference), form))?;
    output.data(text(&wire, &app, &difference, form))?;
    Ok(Exit::Negative)
}

fn record(
    wire: &[u8],
    app: &[u8],
    difference: Option<&Difference>,
    form: Option<&BodyForm>,
) -> DiffRecord {
    DiffRecord {
        verdict: if difference.is_some() { "different" } else { "same" },
        wire_bytes: wire.len(),
        app_bytes: app.len(),
        offset: difference.map(|difference| difference.offset),
        line: difference.map(|difference| difference.line),
        column: difference.map(|difference| difference.column),
        form: form.and_then(|form| form.change.clone()),
        fix: form.map(|form| form.fix),
    }
}

fn text(wire: &[u8], app: &[u8], difference: &Difference, form: Option<&BodyForm>) -> String {
    let Difference { offset, line, column, wire_end, app_end } = *difference;
    let mut text = format!(
        "{BAD}different{BAD:#}: {} bytes on the wire, {} bytes in the application; they differ from byte {offset} \
         (line {line}, column {column})\n  wire  {}\n  app   {}",
        wire.len(),
        app.len(),
        difference.excerpt(wire, wire_end),
        difference.excerpt(app, app_end),
    );
    if let Some(BodyForm { change: Some(change), fix, .. }) = form {
        let change = escape::text(change);
        let _ =
            write!(text, "\nthe application's body is the one on the wire, {change}\nfix: {fix}");
    }
    text
}

/// What lies between the common start and the common end of two bodies.
#[derive(Debug, PartialEq)]
struct Difference {
    offset: usize,
    /// From 1.
    line: usize,
    /// In bytes, from 1.
    column: usize,
    wire_end: usize,
    app_end: usize,
}

impl Difference {
    fn between(wire: &[u8], app: &[u8]) -> Option<Self> {
        if wire == app {
            return None;
        }
        let offset = wire.iter().zip(app).take_while(|(a, b)| a == b).count();
        let (wire_rest, app_rest) = (wire.get(offset..)?, app.get(offset..)?);
        let common_end = wire_rest.iter().rev().zip(app_rest.iter().rev());
        let common_end = common_end.take_while(|(a, b)| a == b).count();
        let before = wire.get(..offset)?;
        let line_start =
            before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at.saturating_add(1));
        Some(Self {
            offset,
            line: before.iter().filter(|byte| **byte == b'\n').count().saturating_add(1),
            column: offset.saturating_sub(line_start).saturating_add(1),
            wire_end: wire.len().saturating_sub(common_end),
            app_end: app.len().saturating_sub(common_end),
        })
    }

    /// Returns the part that differs with a few bytes around it, truncated to fit a terminal.
    fn excerpt(&self, bytes: &[u8], end: usize) -> String {
        const AROUND: usize = 16;
        const MAX: usize = 60;
        let part =
            |from: usize, to: usize| bytes.get(from..to.min(bytes.len())).unwrap_or_default();
        let from = self.offset.saturating_sub(AROUND);
        let shown = end.min(self.offset.saturating_add(MAX));
        let (before, between) = (part(from, self.offset), part(self.offset, shown));
        let after = if shown < end { &[][..] } else { part(end, end.saturating_add(AROUND)) };
        let rest = if shown < end { "…" } else { "" };
        format!(
            "{DIM}{}{DIM:#}{BAD}{}{rest}{BAD:#}{DIM}{}{DIM:#}",
            escape::bytes(before),
            escape::bytes(between),
            escape::bytes(after)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_difference_lies_between_the_common_start_and_end() {
        assert_eq!(Difference::between(b"a\nbcd", b"a\nbcd"), None);
        let difference = Difference::between(b"a\nbXd", b"a\nbYYd").unwrap();
        assert_eq!((difference.offset, difference.line, difference.column), (3, 2, 2));
        assert_eq!((difference.wire_end, difference.app_end), (4, 5));
        let longer = Difference::between(b"aa", b"aaa").unwrap();
        assert_eq!((longer.offset, longer.wire_end, longer.app_end), (2, 2, 3));
    }

    #[test]
    fn an_excerpt_has_no_control_byte() {
        let wire = b"{\"a\":\"\x1b[31m\"}\n";
        let difference = Difference::between(wire, b"{}").unwrap();
        let shown = difference.excerpt(wire, difference.wire_end);
        let shown = anstream::adapter::strip_str(&shown).to_string();
        assert!(shown.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{shown:?}");
    }
}
