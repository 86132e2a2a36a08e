//! The two output streams: data goes to standard output, everything else to standard error.
//!
//! With `--json`, standard output holds NDJSON and nothing else.

mod progress;

use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Write as _},
    sync::{Mutex, MutexGuard, PoisonError},
};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use clap::ColorChoice;
use serde::Serialize;

use self::progress::Bar;
pub(crate) use self::progress::Progress;
use crate::{escape, exit::Failure};

pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default();
pub(crate) const DIM: Style = Style::new().dimmed();

/// The options of every command.
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Print NDJSON, and nothing else, on standard output
    #[arg(long, global = true)]
    json: bool,
    /// When to use color. With auto: on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_name = "WHEN", default_value_t = ColorChoice::Auto)]
    color: ColorChoice,
    /// Print only errors on standard error
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Print more details
    #[arg(short, long, global = true)]
    verbose: bool,
}

impl OutputArgs {
    /// Returns `--color`, for anstream.
    pub(crate) fn color_choice(self) -> anstream::ColorChoice {
        match self.color {
            ColorChoice::Auto => anstream::ColorChoice::Auto,
            ColorChoice::Always => anstream::ColorChoice::Always,
            ColorChoice::Never => anstream::ColorChoice::Never,
        }
    }
}

/// Writes to both streams, and keeps the progress bar on the last line of the terminal.
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
        let color = args.color_choice();
        let screen = Screen {
            out: AutoStream::new(io::stdout(), color),
            err: AutoStream::new(io::stderr(), color),
            bar: Bar::default(),
        };
        Self { args, screen: Mutex::new(screen) }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.args.json
    }

    pub(crate) fn is_verbose(&self) -> bool {
        self.args.verbose
    }

    /// Prints a line of data for people, unless `--json` is given. The caller escapes what was received.
    pub(crate) fn data(&self, line: impl Display) -> Result<(), Failure> {
        if self.args.json {
            return Ok(());
        }
        self.write(|out| writeln!(out, "{line}"))
    }

    /// Prints a line of data for programs, if `--json` is given.
    pub(crate) fn record(&self, record: &impl Serialize) -> Result<(), Failure> {
        if !self.args.json {
            return Ok(());
        }
        let json = serde_json::to_string(record)
            .map_err(|error| Failure::failed(format!("cannot write a record: {error}")))?;
        let json = escape::json(&json);
        self.write(|out| writeln!(out, "{json}"))
    }

    /// Prints data byte for byte, with or without `--json`.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Result<(), Failure> {
        self.write(|_| io::stdout().write_all(bytes))
    }

    /// Prints a message on standard error, unless `--quiet` is given.
    pub(crate) fn note(&self, line: impl Display) {
        if !self.args.quiet {
            self.say(format_args!("{line}"));
        }
    }

    pub(crate) fn warn(&self, line: impl Display) {
        self.note(format_args!("{WARNING}warning{WARNING:#}: {line}"));
    }

    /// Prints a message on standard error, even with `--quiet`. A closed standard error doesn't stop the command.
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

    /// Updates the progress bar, if standard error is a terminal.
    pub(crate) fn progress(&self, progress: &Progress) {
        if !self.args.quiet && io::stderr().is_terminal() {
            self.lock().bar.update(progress);
        }
    }

    /// Removes the progress bar.
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

    /// Ignores poisoning: a writer that panicked left half a line at worst.
    fn lock(&self) -> MutexGuard<'_, Screen> {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
