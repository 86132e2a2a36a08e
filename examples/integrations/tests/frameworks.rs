//! The programs with other web frameworks, over HTTP.

mod program;

use pierre_webhook_tests::client::Request;

use self::program::{Program, SECRET, push};

#[test]
fn poem_handles_only_verified_deliveries() {
    handles_only_verified_deliveries(env!("CARGO_BIN_EXE_poem"));
}

#[test]
fn rocket_handles_only_verified_deliveries() {
    handles_only_verified_deliveries(env!("CARGO_BIN_EXE_rocket"));
}

#[test]
fn salvo_handles_only_verified_deliveries() {
    handles_only_verified_deliveries(env!("CARGO_BIN_EXE_salvo"));
}

fn handles_only_verified_deliveries(path: &str) {
    let mut program = Program::start(path, &[]);
    let good = push("main", SECRET, 0);
    for bytes in [good.with_content_length(), good.chunked(1)] {
        assert_eq!(program.answer(&bytes).status, 204);
        program.next_line_with("deploys push of ");
    }
    for (bytes, status, code) in [
        (push("main", "another", 0).with_content_length(), 401, "invalid_signature"),
        (push("main", SECRET, 400).with_content_length(), 401, "timestamp_too_old"),
        (Request::new("{}").with_content_length(), 400, "missing_signature_header"),
        // Answered long before the body ends. (rocket reads its first bytes before it asks a guard.)
        (
            [good.head("Content-Length: 2000000\r\n"), vec![b' '; 1024]].concat(),
            413,
            "body_too_large",
        ),
    ] {
        let response = program.answer(&bytes);
        let problem = response.json();
        assert_eq!((response.status, problem["code"].as_str()), (status, Some(code)));
        assert_eq!(response.header("content-type"), Some("application/problem+json"));
    }
    program.end();
}
