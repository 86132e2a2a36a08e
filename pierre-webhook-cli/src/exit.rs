//! How the command ends: exit codes, failures that end it early, and Ctrl-C.

use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Write as _},
};

/// The exit codes, in ascending order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Everything went as expected.
    AsExpected,
    /// Negative verdict.
    Negative,
    /// Invalid command line, or no secret.
    Usage,
    /// Unreachable, timed out, or an I/O error.
    Failed,
    /// Ctrl-C.
    Interrupted,
}

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::AsExpected => 0,
            Self::Negative => 1,
            Self::Usage => 2,
            Self::Failed => 3,
            Self::Interrupted => 130,
        }
    }
}

/// Why a command cannot continue. Its text is not escaped yet.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// `None` if there is nothing to say, or nobody to say it to.
    pub(crate) text: Option<String>,
}

impl Failure {
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, text: Some(text.into()) }
    }

    pub(crate) fn failed(text: impl Into<String>) -> Self {
        Self { exit: Exit::Failed, text: Some(text.into()) }
    }

    /// Combines what could not be done with the reason.
    pub(crate) fn io(what: impl Display, error: &io::Error) -> Self {
        Self::failed(format!("{what}: {error}"))
    }

    /// Ctrl-C needs no message.
    pub(crate) fn interrupted() -> Self {
        Self { exit: Exit::Interrupted, text: None }
    }

    /// Standard output cannot be written. A reader that has closed the pipe (`| head`) needs no message.
    pub(crate) fn stdout(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self { exit: Exit::Failed, text: None },
            _ => Self::io("cannot write to standard output", error),
        }
    }
}

/// Runs `work` to its end, or drops it and returns `None` on Ctrl-C.
pub(crate) async fn until_interrupted<T>(work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = interruption() => None,
        done = work => Some(done),
    }
}

/// Waits for Ctrl-C.
pub(crate) async fn interruption() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
    // Start a new line after the ^C that the terminal shows.
    if io::stderr().is_terminal() {
        let _ = writeln!(io::stderr());
    }
}
