//! A program of this crate that runs.

use std::{
    io::{BufRead as _, BufReader, Lines},
    net::SocketAddr,
    process::{Child, ChildStdout, Command, Stdio},
    time::{SystemTime, UNIX_EPOCH},
};

use pierre_webhook_core::{Secret, TestDelivery};
use pierre_webhook_tests::client::{Request, Response, exchange};

pub(crate) const SECRET: &str = "whsec_k3yForDocsOnly_2f6c";

pub(crate) struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    address: SocketAddr,
}

impl Program {
    pub(crate) fn start(path: &str, environment: &[(&str, &str)]) -> Self {
        let mut child = Command::new(path)
            .env("PIERRE_WEBHOOK_SECRET", SECRET)
            .env("BIND_ADDRESS", "127.0.0.1:0")
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let mut program = Self { child, lines, address: ([127, 0, 0, 1], 0).into() };
        // "listening on http://127.0.0.1:8787/webhooks"
        let listening = program.next_line_with("listening on ");
        let (_, address) = listening.split_once("//").expect("a URL");
        program.address = address.trim_end_matches("/webhooks").parse().expect("an address");
        program
    }

    pub(crate) fn answer(&self, request: &[u8]) -> Response {
        exchange(self.address, request)
    }

    /// Skips lines that don't begin like this: some frameworks log to the standard output.
    pub(crate) fn next_line_with(&mut self, start: &str) -> String {
        let mut lines = self.lines.by_ref().map(|line| line.expect("a line"));
        lines.find(|line| line.starts_with(start)).expect("the line")
    }

    /// Ends it as an orchestrator does.
    pub(crate) fn end(mut self) {
        let mut kill = Command::new("kill");
        assert!(kill.arg(self.child.id().to_string()).status().expect("kill").success());
        assert!(self.child.wait().expect("its end").success());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A push to a branch, signed this many seconds ago.
pub(crate) fn push(branch: &str, secret: &str, age: u64) -> Request {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_secs();
    let push = TestDelivery::push().branch(branch).signed_at(now - age);
    let headers = push.headers(&Secret::new(secret).expect("a secret"));
    headers.iter().fold(Request::new(push.body()), |request, (name, value)| {
        request.header(name, value.as_str())
    })
}
