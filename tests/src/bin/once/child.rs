//! A server in a process of its own, stopped by its process id.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{self, ChildStdout, Command, Stdio},
};

use crate::journal::now;

pub(crate) struct Child {
    pub(crate) address: SocketAddr,
    pub(crate) journal: PathBuf,
    process: process::Child,
    output: BufReader<ChildStdout>,
}

impl Child {
    /// `marks` is a directory that the servers share.
    pub(crate) fn start(arguments: &[&str], journal: PathBuf, marks: &Path) -> Self {
        let mut process = Command::new(env::current_exe().expect("a path"))
            .arg("--serve")
            .args(arguments)
            .args([&journal, marks])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let output = process.stdout.take().expect("it is piped");
        // From here on it is killed when it is dropped, whatever happens.
        let output = BufReader::new(output);
        let mut child = Self { address: ([127, 0, 0, 1], 0).into(), journal, process, output };
        child.address = child.line().parse().expect("a server that starts");
        child
    }

    /// Asks it to end. Returns the time at which it stopped waiting for its work.
    pub(crate) fn shut_down(mut self) -> u64 {
        let input = self.process.stdin.as_mut().expect("it is piped");
        input.write_all(b"stop\n").expect("a process that is alive");
        let ended = self.line().parse().expect("a time");
        self.process.wait().expect("a process that ended");
        ended
    }

    pub(crate) fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        let status = Command::new("kill").args([signal, &id]).status().expect("kill");
        assert!(status.success());
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    /// Kills it like `kill -9`. Returns a time at which it was still alive.
    pub(crate) fn kill(mut self) -> u64 {
        let alive = now();
        self.process.kill().expect("a process that is alive");
        self.process.wait().expect("a process that ended");
        alive
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended already.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
