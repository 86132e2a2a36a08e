//! Runs the binary, to its end or alongside the test. Every wait has a time limit.

use std::{
    io::{BufRead as _, BufReader, ErrorKind, Read, Write as _},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

pub(crate) const SECRET: &str = "whsec_k3yForDocsOnly_2f6c";

/// The limit of every wait, long enough for a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Returns a command with the secret in its environment.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = without_secret(args);
    command.env("PIERRE_WEBHOOK_SECRET", SECRET);
    command
}

pub(crate) fn without_secret(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pierre-webhook"));
    command.args(args).env_remove("PIERRE_WEBHOOK_SECRET").env_remove("NO_COLOR");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The result of a command.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn run(args: &[&str]) -> Ended {
    Running::start(command(args)).end()
}

pub(crate) fn run_with_stdin(args: &[&str], stdin: &[u8]) -> Ended {
    let mut running = Running::start(command(args));
    running.write(stdin);
    running.end()
}

impl Ended {
    /// Parses standard output, which must be NDJSON only.
    pub(crate) fn records(&self) -> Vec<Value> {
        self.stdout.lines().map(record).collect()
    }

    #[track_caller]
    pub(crate) fn is(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }
}

pub(crate) fn record(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
}

/// A running command, killed on drop.
pub(crate) struct Running {
    child: Child,
    stdout: Lines,
    stderr: Lines,
}

struct Lines {
    lines: Receiver<String>,
    read: String,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stdout = Lines::of(child.stdout.take().unwrap());
        let stderr = Lines::of(child.stderr.take().unwrap());
        Self { child, stdout, stderr }
    }

    /// Starts `listen` on a free port, and returns its URL too.
    pub(crate) fn listen(args: &[&str]) -> (Self, String) {
        let mut running = Self::start(command(&[&["listen", "--port", "0"], args].concat()));
        let line = running.stderr_line();
        let url = line.strip_prefix("listening on ").unwrap_or_else(|| panic!("{line:?}"));
        assert!(url.starts_with("http://127.0.0.1:"), "{url}");
        (running, url.to_owned())
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        match self.child.stdin.as_mut().unwrap().write_all(bytes) {
            // The command may end without reading.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => panic!("{error}"),
            _ => {}
        }
    }

    pub(crate) fn stdout_line(&mut self) -> String {
        self.stdout.next()
    }

    pub(crate) fn stderr_line(&mut self) -> String {
        self.stderr.next()
    }

    /// Sends Ctrl-C.
    #[cfg(unix)]
    pub(crate) fn interrupt(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    }

    /// Closes standard input, and waits for the command to end.
    pub(crate) fn end(mut self) -> Ended {
        drop(self.child.stdin.take());
        let code = self.wait().code();
        Ended { code, stdout: self.stdout.rest(), stderr: self.stderr.rest() }
    }

    /// Like `end`, but leaves standard input open.
    #[cfg(unix)]
    pub(crate) fn end_by_itself(mut self) -> Ended {
        let stdin = self.child.stdin.take();
        let code = self.wait().code();
        drop(stdin);
        Ended { code, stdout: self.stdout.rest(), stderr: self.stderr.rest() }
    }

    fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "it does not end");
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Lines {
    fn of(stream: impl Read + Send + 'static) -> Self {
        let (sender, lines) = channel();
        thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            while stream.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                let text = String::from_utf8(line.split_off(0)).expect("UTF-8");
                if sender.send(text).is_err() {
                    break;
                }
            }
        });
        Self { lines, read: String::new() }
    }

    fn next(&mut self) -> String {
        let line = self.lines.recv_timeout(PATIENCE).expect("a line");
        self.read.push_str(&line);
        line.trim_end_matches('\n').to_owned()
    }

    /// Returns everything that was written.
    fn rest(&mut self) -> String {
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.read.push_str(&line);
        }
        self.read.clone()
    }
}
