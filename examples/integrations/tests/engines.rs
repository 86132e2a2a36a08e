//! The programs that hand deliveries over to a job engine, with a real PostgreSQL.

use std::{
    io::{BufRead as _, BufReader, Lines, Write as _},
    net::TcpStream,
    process::{Child, ChildStdout, Command, Stdio},
    time::{SystemTime, UNIX_EPOCH},
};

use pierre_webhook_core::{Secret, TestDelivery};
use pierre_webhook_tests::{client::Request, postgres_server::PostgresServer};

const SECRET: &str = "whsec_k3yForDocsOnly_2f6c";

struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    address: String,
}

impl Program {
    fn start(path: &str, server: &PostgresServer, database: &str) -> Self {
        let mut child = Command::new(path)
            .env("PIERRE_WEBHOOK_SECRET", SECRET)
            .env("DATABASE_URL", server.url(database))
            .env("BIND_ADDRESS", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let listening = lines.next().expect("a line").expect("a line");
        let address = listening.trim_start_matches("listening on http://");
        let address = address.trim_end_matches("/webhooks").to_owned();
        Self { child, lines, address }
    }

    /// Sends a push to a branch, and returns the status line.
    fn send(&self, branch: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970");
        let push = TestDelivery::push().branch(branch).signed_at(now.as_secs());
        let secret = Secret::new(SECRET).expect("a secret");
        let headers = push.headers(&secret);
        let request = headers.iter().fold(Request::new(push.body()), |request, (name, value)| {
            request.header(name, value.as_str())
        });
        let mut stream = TcpStream::connect(&self.address).expect("a connection");
        stream.write_all(&request.with_content_length()).expect("a request");
        BufReader::new(stream).lines().next().expect("a status line").expect("a status line")
    }

    fn next_line(&mut self) -> String {
        self.lines.next().expect("a line").expect("a line")
    }

    /// Ends it as an orchestrator does.
    fn end(mut self) {
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

fn each_delivery_becomes_one_job(path: &str, jobs: &str) {
    let Some(server) = PostgresServer::shared() else { return };
    let database = server.create_database();
    let mut program = Program::start(path, &server, &database);
    for branch in ["main", "next", "main"] {
        assert_eq!(program.send(branch), "HTTP/1.1 200 OK");
    }
    for _ in 0..2 {
        assert!(program.next_line().starts_with("deploys push of "));
    }
    program.end();
    let count = |query: &str| server.execute(&database, query);
    assert_eq!(count("SELECT state, count(*) FROM pierre_delivery GROUP BY state"), "done|2");
    // The third was known.
    assert_eq!(count(jobs), "2");
}

#[test]
fn graphile_runs_each_delivery_once() {
    // A job that is done is deleted: the sequence tells how many there were.
    let path = env!("CARGO_BIN_EXE_graphile");
    let next = "nextval(pg_get_serial_sequence('graphile_worker._private_jobs', 'id'))";
    each_delivery_becomes_one_job(path, &format!("SELECT {next} - 1"));
}

#[test]
fn apalis_runs_each_delivery_once() {
    let path = env!("CARGO_BIN_EXE_apalis");
    each_delivery_becomes_one_job(path, "SELECT count(*) FROM apalis.jobs WHERE status = 'Done'");
}
