//! A server in a process of its own, stopped by its process id.

use std::{
    env,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
};

use crate::journal::now;

pub(crate) struct Child {
    pub(crate) address: SocketAddr,
    pub(crate) journal: PathBuf,
    process: process::Child,
}

impl Child {
    /// `failed` is a directory that the servers share.
    pub(crate) fn start(redis: &str, journal: PathBuf, failed: &Path) -> Self {
        let mut process = Command::new(env::current_exe().expect("a path"))
            .args(["--serve", redis])
            .args([&journal, failed])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let output = process.stdout.take().expect("it is piped");
        // From here on it is killed when it is dropped, whatever happens.
        let mut child = Self { address: ([127, 0, 0, 1], 0).into(), journal, process };
        let mut address = String::new();
        BufReader::new(output).read_line(&mut address).expect("an address");
        child.address = address.trim_end().parse().expect("a server that starts");
        child
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
