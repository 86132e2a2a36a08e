//! The programs that hand deliveries over to a job engine, with a real PostgreSQL.

mod program;

use pierre_webhook_tests::postgres_server::PostgresServer;

use self::program::{Program, SECRET, push};

fn each_delivery_becomes_one_job(path: &str, jobs: &str) {
    let Some(server) = PostgresServer::shared() else { return };
    let database = server.create_database();
    let mut program = Program::start(path, &[("DATABASE_URL", &server.url(&database))]);
    for branch in ["main", "next", "main"] {
        let request = push(branch, SECRET, 0).with_content_length();
        assert_eq!(program.answer(&request).status, 200);
    }
    for _ in 0..2 {
        program.next_line_with("deploys push of ");
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
