//! Where each word goes: data to standard output, the rest to standard error, NDJSON alone with `--json`.

use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Write as _},
    sync::{Mutex, MutexGuard, PoisonError},
};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::{
    escape,
    exit::Failure,
    progress::{Bar, Progress},
};

pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default();
pub(crate) const DIM: Style = Style::new().dimmed();

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    Always,
    Never,
}

/// How much is said, and in which form; for every command.
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Print NDJSON on standard output: one object a line, and nothing else
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// When to colour
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t)]
    pub(crate) color: Color,
    /// Say nothing on standard error but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
}

/// The two streams, and the progress bar that may stand on the last line.
pub(crate) struct Output {
    args: OutputArgs,
    screen: Mutex<Screen>,
}

struct Screen {
    out: AutoStream<io::Stdout>,
    err: AutoStream<io::Stderr>,
    bar: Bar,
}

impl Output {
    pub(crate) fn new(args: OutputArgs) -> Self {
        let (out, err) = match args.color {
            Color::Auto => (AutoStream::auto(io::stdout()), AutoStream::auto(io::stderr())),
            Color::Always => both(ColorChoice::Always),
            Color::Never => both(ColorChoice::Never),
        };
        Self { args, screen: Mutex::new(Screen { out, err, bar: Bar::default() }) }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.args.json
    }

    pub(crate) fn is_verbose(&self) -> bool {
        self.args.verbose
    }

    /// A line of data for people. What of it was received must be escaped by now. Nothing with `--json`.
    pub(crate) fn data(&self, line: impl Display) -> Result<(), Failure> {
        if self.args.json {
            return Ok(());
        }
        self.write(|out| writeln!(out, "{line}"))
    }

    /// A line of data for programs. Nothing without `--json`.
    pub(crate) fn record(&self, record: &impl Serialize) -> Result<(), Failure> {
        if !self.args.json {
            return Ok(());
        }
        let json = serde_json::to_string(record)
            .map_err(|error| Failure::failed(format!("cannot write a record: {error}")))?;
        let json = escape::json(&json);
        self.write(|out| writeln!(out, "{json}"))
    }

    /// Data byte for byte, whatever the form.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Result<(), Failure> {
        self.write(|_| io::stdout().write_all(bytes))
    }

    /// A word to the user: not data, so on standard error, and none with `--quiet`.
    pub(crate) fn note(&self, line: impl Display) {
        if !self.args.quiet {
            self.say(format_args!("{line}"));
        }
    }

    pub(crate) fn warn(&self, line: impl Display) {
        self.note(format_args!("{WARNING}warning{WARNING:#}: {line}"));
    }

    /// A line on standard error, also with `--quiet`. That nobody reads it is no reason to stop.
    pub(crate) fn say(&self, line: impl Display) {
        let mut screen = self.lock();
        let Screen { err, bar, .. } = &mut *screen;
        bar.hide();
        let _ = writeln!(err, "{line}");
        bar.show();
    }

    pub(crate) fn error(&self, text: &str) {
        self.say(format_args!("{BAD}error{BAD:#}: {}", escape::text(text)));
    }

    /// Shows how far it is, where standard error is a terminal.
    pub(crate) fn progress(&self, progress: &Progress) {
        if !self.args.quiet && io::stderr().is_terminal() {
            self.lock().bar.update(progress);
        }
    }

    /// Takes the progress bar away.
    pub(crate) fn end_progress(&self) {
        self.lock().bar.end();
    }

    fn write(
        &self,
        write: impl FnOnce(&mut AutoStream<io::Stdout>) -> io::Result<()>,
    ) -> Result<(), Failure> {
        let mut screen = self.lock();
        let Screen { out, bar, .. } = &mut *screen;
        bar.hide();
        let written = write(out).and_then(|()| out.flush());
        bar.show();
        written.map_err(|error| Failure::stdout(&error))
    }

    /// A writer that panicked left at worst half a line.
    fn lock(&self) -> MutexGuard<'_, Screen> {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn both(choice: ColorChoice) -> (AutoStream<io::Stdout>, AutoStream<io::Stderr>) {
    (AutoStream::new(io::stdout(), choice), AutoStream::new(io::stderr(), choice))
}
