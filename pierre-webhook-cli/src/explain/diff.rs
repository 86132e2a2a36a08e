//! `explain --wire a --app b`: where the bytes that came differ from those that the application saw.

use std::{fs, path::Path};

use bytes::Bytes;
use serde::Serialize;

use super::{body_forms, request::Request};
use crate::{
    escape,
    exit::{Exit, Failure},
    output::{BAD, DIM, GOOD, Output},
};

/// For programs.
#[derive(Serialize)]
struct Record {
    verdict: &'static str,
    wire_bytes: usize,
    app_bytes: usize,
    /// The first byte that differs, from 0.
    offset: Option<usize>,
    line: Option<usize>,
    column: Option<usize>,
    /// What the application's is, seen from the wire's, where that is known.
    form: Option<String>,
    fix: Option<&'static str>,
}

pub(super) fn run(wire: &Path, app: &Path, output: &Output) -> Result<Exit, Failure> {
    let (wire, app) = (body(wire)?, body(app)?);
    let difference = Difference::of(&wire, &app);
    let forms = body_forms::forms(&wire);
    let form = forms.iter().find(|form| form.words.is_some() && form.bytes == app);
    let form = form.filter(|_| difference.is_some());
    output.record(&Record {
        verdict: if difference.is_some() { "different" } else { "same" },
        wire_bytes: wire.len(),
        app_bytes: app.len(),
        offset: difference.as_ref().map(|difference| difference.offset),
        line: difference.as_ref().map(|difference| difference.line),
        column: difference.as_ref().map(|difference| difference.column),
        form: form.and_then(|form| form.words.clone()),
        fix: form.map(|form| form.fix),
    })?;
    let Some(difference) = difference else {
        output.data(format_args!("{GOOD}same{GOOD:#}: {} bytes each", wire.len()))?;
        return Ok(Exit::AsExpected);
    };
    let Difference { offset, line, column, .. } = difference;
    output.data(format_args!(
        "{BAD}different{BAD:#}: {} bytes on the wire, {} in the application; from byte {offset} on (line {line}, \
         column {column})",
        wire.len(),
        app.len(),
    ))?;
    output.data(format_args!("  wire  {}", difference.show(&wire, difference.wire_end)))?;
    output.data(format_args!("  app   {}", difference.show(&app, difference.app_end)))?;
    if let Some(form) = form {
        let words = form.words.as_deref().unwrap_or_default();
        output.data(format_args!("the application's is the wire's, {}", escape::text(words)))?;
        output.data(format_args!("fix: {}", form.fix))?;
    }
    Ok(Exit::Negative)
}

/// The body of a request, or the bytes themselves.
fn body(path: &Path) -> Result<Bytes, Failure> {
    let bytes = fs::read(path)
        .map_err(|error| Failure::io(format_args!("cannot read {}", path.display()), &error))?;
    Ok(Request::recognise(&bytes).map_or_else(|| bytes.into(), |request| request.body))
}

/// What lies between the beginning and the end that both have.
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
    fn of(wire: &[u8], app: &[u8]) -> Option<Self> {
        if wire == app {
            return None;
        }
        let offset = wire.iter().zip(app).take_while(|(a, b)| a == b).count();
        let (wire_rest, app_rest) = (wire.get(offset..)?, app.get(offset..)?);
        let same_end = wire_rest.iter().rev().zip(app_rest.iter().rev());
        let same_end = same_end.take_while(|(a, b)| a == b).count();
        let before = wire.get(..offset)?;
        let line_start =
            before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at.saturating_add(1));
        Some(Self {
            offset,
            line: before.iter().filter(|byte| **byte == b'\n').count().saturating_add(1),
            column: offset.saturating_sub(line_start).saturating_add(1),
            wire_end: wire.len().saturating_sub(same_end),
            app_end: app.len().saturating_sub(same_end),
        })
    }

    /// The part that differs, a few bytes around it, and no more than fits.
    fn show(&self, bytes: &[u8], end: usize) -> String {
        const AROUND: usize = 16;
        const MOST: usize = 60;
        let part =
            |from: usize, to: usize| bytes.get(from..to.min(bytes.len())).unwrap_or_default();
        let from = self.offset.saturating_sub(AROUND);
        let shown = end.min(self.offset.saturating_add(MOST));
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
    fn the_difference_lies_between_what_both_have() {
        assert_eq!(Difference::of(b"a\nbcd", b"a\nbcd"), None);
        let difference = Difference::of(b"a\nbXd", b"a\nbYYd").unwrap();
        assert_eq!((difference.offset, difference.line, difference.column), (3, 2, 2));
        assert_eq!((difference.wire_end, difference.app_end), (4, 5));
        let longer = Difference::of(b"aa", b"aaa").unwrap();
        assert_eq!((longer.offset, longer.wire_end, longer.app_end), (2, 2, 3));
    }

    #[test]
    fn what_is_shown_has_no_control_byte() {
        let wire = b"{\"a\":\"\x1b[31m\"}\n";
        let difference = Difference::of(wire, b"{}").unwrap();
        let shown = difference.show(wire, difference.wire_end);
        let shown = anstream::adapter::strip_str(&shown).to_string();
        assert!(shown.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{shown:?}");
    }
}
