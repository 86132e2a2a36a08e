//! How the command ends: the exit codes, and a failure that ends it at once.

use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Write as _},
};

/// The exit codes, the milder first: of several, the greatest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// All was as expected.
    AsExpected,
    /// A negative verdict.
    Negative,
    /// The command line cannot be followed.
    Usage,
    /// Unreachable, timed out, or not readable or writable.
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

/// Why a command cannot go on. Its text is not escaped yet.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// `None`: nobody is left to be told.
    pub(crate) text: Option<String>,
}

impl Failure {
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, text: Some(text.into()) }
    }

    pub(crate) fn failed(text: impl Into<String>) -> Self {
        Self { exit: Exit::Failed, text: Some(text.into()) }
    }

    /// What could not be done, and why.
    pub(crate) fn io(what: impl Display, error: &io::Error) -> Self {
        Self::failed(format!("{what}: {error}"))
    }

    /// Ctrl-C, of which nothing needs to be said.
    pub(crate) fn interrupted() -> Self {
        Self { exit: Exit::Interrupted, text: None }
    }

    /// Standard output is gone. A reader that left (`| head`) needs no word about it.
    pub(crate) fn stdout(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self { exit: Exit::Failed, text: None },
            _ => Self::io("cannot write to standard output", error),
        }
    }
}

/// What the work gives, or `None` where Ctrl-C came first, which drops the work where it stands.
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
    // The terminal wrote ^C where the cursor stood.
    if io::stderr().is_terminal() {
        let _ = writeln!(io::stderr());
    }
}
