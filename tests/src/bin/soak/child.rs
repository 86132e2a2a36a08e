//! A server in a process of its own. It ends when its standard input ends, even if its parent process was killed.

use std::{
    fs,
    io::{BufRead, BufReader, Read, stdin},
    net::SocketAddr,
    process::{self, ChildStdout, Command, ExitCode, Stdio},
    thread,
    time::{Duration, Instant},
};

use pierre_webhook_tests::{
    client::PATIENCE,
    server::{Actix, Handled, Server, actix_app, axum_with},
    table::{Verifiers, vectors},
};

/// The server's side. Prints its address, and at the end how often its handler ran.
pub(crate) fn serve(name: &str) -> ExitCode {
    let handled = Handled::default();
    let verifiers = Verifiers::of(&vectors());
    let server = match name {
        "axum" => axum_with(verifiers.for_axum(), handled.clone()),
        _ => {
            let settings = Actix { speaks_http2: true, ..Actix::default() };
            Server::actix_as(settings, actix_app(verifiers.for_actix(), handled.clone()))
        }
    };
    println!("{}", server.address);
    stdin().read_to_end(&mut Vec::new()).expect("a parent");
    println!("{}", handled.count());
    process::exit(0)
}

pub(crate) struct Child {
    pub(crate) address: SocketAddr,
    process: process::Child,
    output: BufReader<ChildStdout>,
}

impl Child {
    pub(crate) fn start(name: &str) -> Self {
        let this = std::env::current_exe().expect("a path");
        let mut process = Command::new(this)
            .args(["--serve", name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let mut output = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut address = String::new();
        output.read_line(&mut address).expect("an address");
        Self { address: address.trim_end().parse().expect("an address"), process, output }
    }

    /// Returns the resident memory in kilobytes, if the system reports it.
    pub(crate) fn resident(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// Returns how many descriptors are open, once there are no more than expected or the number stops falling.
    pub(crate) fn settled_descriptors(&self, expected: Option<usize>) -> Option<usize> {
        let start = Instant::now();
        let mut least = self.descriptors()?;
        let mut since = Instant::now();
        while expected.is_none_or(|expected| least > expected) && start.elapsed() < PATIENCE {
            // Actix keeps a closed connection for up to a second.
            if expected.is_none() && since.elapsed() > Duration::from_secs(2) {
                break;
            }
            thread::sleep(Duration::from_millis(50));
            let now = self.descriptors()?;
            if now < least {
                (least, since) = (now, Instant::now());
            }
        }
        Some(least)
    }

    fn descriptors(&self) -> Option<usize> {
        Some(fs::read_dir(format!("/proc/{}/fd", self.process.id())).ok()?.count())
    }

    /// Stops the server. Returns how often its handler ran, unless the server had already ended.
    pub(crate) fn end(mut self) -> Option<u64> {
        drop(self.process.stdin.take());
        let mut handled = String::new();
        self.output.read_line(&mut handled).ok()?;
        handled.trim_end().parse().ok()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended already.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
