//! A receiver or a worker in a process of its own, stopped by its process id.

use std::{
    env,
    io::{BufRead, BufReader},
    process::{self, Command, Stdio},
};

use pierre_webhook_tests::redis_server::free_port;

use crate::storage::Storage;

pub(crate) struct Child {
    arguments: Vec<String>,
    port: u16,
    process: process::Child,
}

impl Child {
    pub(crate) fn receiver(storage: &Storage) -> Self {
        let port = free_port();
        Self::start(vec!["--receive".into(), storage.name(), port.to_string()], port)
    }

    pub(crate) fn worker(storage: &Storage, mode: &str) -> Self {
        Self::start(vec!["--work".into(), storage.name(), mode.into()], 0)
    }

    /// The port of a receiver. It keeps it when it is started again.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Returns once it is ready.
    fn start(arguments: Vec<String>, port: u16) -> Self {
        let process = spawn(&arguments);
        Self { arguments, port, process }
    }

    /// Kills it like `kill -9`, and starts another one.
    pub(crate) fn crash(&mut self) {
        self.end();
        self.process = spawn(&self.arguments);
    }

    /// Has it shut down in order, and starts another one.
    pub(crate) fn deploy(&mut self) {
        drop(self.process.stdin.take());
        self.process.wait().expect("a process that ends");
        self.process = spawn(&self.arguments);
    }

    pub(crate) fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        let status = Command::new("kill").args([signal, &id]).status().expect("kill");
        assert!(status.success());
    }

    fn end(&mut self) {
        // It may have ended already.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end();
    }
}

/// It ends when its standard input does, so it doesn't outlive this process.
fn spawn(arguments: &[String]) -> process::Child {
    let mut process = Command::new(env::current_exe().expect("a path"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process");
    let output = process.stdout.take().expect("it is piped");
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line).expect("a line");
    assert_eq!(line, "ready\n", "{arguments:?}");
    process
}
