//! The command `send`.

use std::{
    collections::HashSet,
    io::{Read as _, Write as _},
    net::TcpListener,
    process::Command,
    thread,
};

use pierre_webhook_core::{DeliveryHeaders, Event, Secret, Verifier};
use serde_json::{Value, json};

#[cfg(unix)]
use crate::command::command;
use crate::{
    command::{Running, SECRET, run, run_with_stdin},
    folder::Folder,
    receivers,
    stub_server::{Request, Server, answer, closed},
};

const EVENTS: [&str; 4] = ["push", "repo.sync.started", "repo.sync.succeeded", "repo.sync.failed"];

fn verifier() -> Verifier {
    Verifier::new(Secret::new(SECRET).unwrap())
}

/// Verifies the request, and returns its event.
fn verified(request: &Request) -> Event {
    let pairs = request.head.iter().filter_map(|line| line.split_once(": "));
    let headers = DeliveryHeaders::parse(pairs).unwrap();
    verifier().verify(&headers, request.body.clone().into()).unwrap().event
}

#[test]
fn each_event_is_accepted_by_axum_and_by_actix() {
    for (framework, url) in receivers::both() {
        for event in EVENTS {
            let ended = run(&["send", event, &url]).is(0);
            assert!(ended.stdout.contains("200 OK"), "{framework}: {ended:?}");
            assert_eq!(ended.stderr, "");
        }
    }
}

#[test]
fn send_makes_the_documented_request() {
    let server = Server::answering(&[&answer("204 No Content", "")]);
    run(&["send", "push", &format!("{}?a=b", server.url)]).is(0);
    let request = server.request();
    assert_eq!(request.head[0], "POST /hooks?a=b HTTP/1.1");
    for (name, value) in [
        ("Content-Type", "application/json"),
        ("User-Agent", "Pierre-Webhook/1.0"),
        ("X-Pierre-Event", "push"),
    ] {
        assert!(request.head.contains(&format!("{name}: {value}")), "{request:?}");
    }
    assert!(request.head.iter().any(|line| line.starts_with("X-Pierre-Signature: t=")));
    assert!(matches!(verified(&request), Event::Push(_)));
}

#[test]
fn a_given_body_is_sent_unchanged_with_any_event() {
    let folder = Folder::new();
    let body = b"\xef\xbb\xbf not JSON \0\xff\n";
    let file = format!("@{}", folder.write("body", body));
    let server = Server::answering(&[&answer("200 OK", "")]);
    run(&["send", "branch.created", &server.url, "--body", &file]).is(0);
    assert_eq!(server.request().body, body);
    run_with_stdin(&["send", "branch.created", &server.url, "--body", "-", "--chunked"], body)
        .is(0);
    let request = server.request();
    assert_eq!(request.body, body);
    assert_eq!(request.header("transfer-encoding"), Some("chunked"));
    assert_eq!(request.header("content-length"), None);
    assert_eq!(request.header("x-pierre-event"), Some("branch.created"));
}

#[test]
fn an_empty_body_can_be_sent() {
    let server = Server::answering(&[&answer("200 OK", "")]);
    for chunked in [&[][..], &["--chunked"]] {
        run_with_stdin(&[&["send", "e", &server.url, "--body", "-"], chunked].concat(), b"").is(0);
        assert_eq!(server.request().body, b"");
    }
}

#[test]
fn members_of_the_payload_and_headers_can_be_replaced() {
    let server = Server::answering(&[&answer("200 OK", "")]);
    run(&[
        "send",
        "push",
        &server.url,
        "--set",
        r#"/ref="refs/heads/x""#,
        "--set",
        "/repository/more/deep=1e3",
        "--header",
        "User-Agent: other",
        "--header",
        "X-Trace: 1",
        "--header",
        "X-Trace: 2",
        "--header",
        "Content-Type:",
        "--age",
        "2m",
    ])
    .is(0);
    let request = server.request();
    let Event::Push(push) = verified(&request) else { panic!("a push") };
    assert_eq!(push.branch(), Some("x"));
    assert!(str::from_utf8(&request.body).unwrap().contains(r#""more":{"deep":1e3}"#));
    assert_eq!(request.header("user-agent"), Some("other"));
    assert_eq!(request.header("content-type"), None);
    assert_eq!(request.head.iter().filter(|line| line.starts_with("X-Trace: ")).count(), 2);
}

#[test]
fn a_printed_payload_can_be_edited_and_sent() {
    let folder = Folder::new();
    for event in EVENTS {
        let printed =
            Running::start(crate::command::without_secret(&["send", event, "--print-body"]))
                .end()
                .is(0);
        assert!(printed.stdout.lines().count() > 5, "{printed:?}");
        let file = format!("@{}", folder.write("body", &printed.stdout));
        let server = Server::answering(&[&answer("200 OK", "")]);
        run(&["send", event, &server.url, "--body", &file]).is(0);
        let request = server.request();
        assert_eq!(request.body, printed.stdout.as_bytes());
        assert_eq!(verified(&request).event_type(), event);
    }
    let hostile = "/ref=[1,\n\"\u{85}\x7f\"]";
    let printed = run(&["send", "push", "--print-body", "--json", "--set", hostile]).is(0);
    assert_eq!(printed.records()[0]["ref"], json!([1, "\u{85}\x7f"]));
    assert!(
        printed.stdout.ends_with("\n") && printed.stdout.matches(char::is_control).count() == 1
    );
}

#[test]
fn a_rejection_is_a_negative_verdict_unless_it_is_expected() {
    for (_, url) in receivers::both() {
        let ended = run(&["send", "push", &url, "--age", "10m"]).is(1);
        assert!(ended.stdout.contains("401 Unauthorized"), "{ended:?}");
        assert!(ended.stdout.contains("Webhook timestamp too old (6"), "{ended:?}");
        run(&["send", "push", &url, "--age", "10m", "--expect", "401"]).is(0);
        run(&["send", "push", &url, "--age=-5m", "--expect", "401,2xx"]).is(0);
        run(&["send", "push", &url, "--header", "X-Pierre-Signature:", "--expect", "400"]).is(0);
    }
}

#[test]
fn exit_code_3_for_no_answer_takes_precedence_over_1() {
    let url = format!("http://{}/", closed());
    let ended = run(&["send", "push", &url, "--json", "--retries", "1", "--backoff", "1ms"]).is(3);
    let records = ended.records();
    assert_eq!((&records[0]["status"], &records[0]["attempt"]), (&Value::Null, &1.into()));
    assert_eq!(
        (&records[1]["error"], &records[1]["attempt"]),
        (&"Connection refused".into(), &2.into())
    );
    assert_eq!(records[2]["summary"]["unreachable"], 1);

    let server = Server::answering(&[""]);
    let ended = run(&["send", "push", &server.url, "--timeout", "100ms"]).is(3);
    assert!(ended.stdout.contains("no answer within 100ms"), "{ended:?}");

    // One answer is unexpected, the next one invalid.
    let server = Server::answering(&[&answer("500 Oh", ""), "HTTP/1.1 nonsense\r\n\r\n"]);
    run(&["send", "push", &server.url, "--count", "2"]).is(3);
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Server::answering(&[&answer("200 OK", "")]);
    let location = format!("location: {}\r\n", elsewhere.url);
    let server = Server::answering(&[&answer("307 Temporary Redirect", &location)]);
    let ended = run(&["send", "push", &server.url]).is(1);
    assert!(ended.stdout.contains("not followed"), "{ended:?}");
    run(&["send", "push", &server.url, "--expect", "3xx"]).is(0);
}

#[test]
fn a_rejected_delivery_is_retried_verbatim_or_re_signed() {
    // After a second, a new signature has a new timestamp.
    let later = answer("503 Service Unavailable", "retry-after: 1\r\n");
    for (how, is_same) in [("same", true), ("resigned", false)] {
        let server = Server::answering(&[&later, &answer("200 OK", "")]);
        let ended = run(&[
            "send",
            "push",
            &server.url,
            "--retries",
            "5",
            "--backoff",
            "1h",
            "--retry-as",
            how,
            "--json",
        ])
        .is(0);
        let records = ended.records();
        let [first, second, last] = &records[..] else { panic!("{ended:?}") };
        assert_eq!(
            (&first["n"], &first["attempt"], &first["status"]),
            (&1.into(), &1.into(), &503.into())
        );
        assert_eq!(
            (&second["n"], &second["attempt"], &second["status"]),
            (&1.into(), &2.into(), &200.into())
        );
        assert_eq!(first["delivery_id"], second["delivery_id"]);
        assert_eq!(first["signed_at"] == second["signed_at"], is_same, "{how}");
        assert_eq!(last["summary"]["attempts"], 2);
        let (first, second) = (server.request(), server.request());
        assert_eq!(first.body, second.body);
        assert_eq!(
            first.header("x-pierre-signature") == second.header("x-pierre-signature"),
            is_same
        );
        verified(&second);
    }
}

#[test]
fn an_expected_answer_ends_the_retries() {
    let server = Server::answering(&[&answer("409 Conflict", ""), &answer("200 OK", "")]);
    let ended =
        run(&["send", "push", &server.url, "--retries", "3", "--expect", "409", "--json"]).is(0);
    assert_eq!(ended.records().len(), 2);
    let ended = run(&[
        "send",
        "push",
        &server.url,
        "--retries",
        "2",
        "--backoff",
        "1ms",
        "--expect",
        "409",
        "--json",
    ])
    .is(1);
    assert_eq!(ended.records().len(), 4);
}

#[test]
fn deliveries_of_a_run_differ_and_are_summarized() {
    let (listen, url) = Running::listen(&["--count", "40", "--json"]);
    let ended =
        run(&["send", "repo.sync.started", &url, "--count", "40", "--concurrency", "8"]).is(0);
    assert_eq!(ended.stderr, "", "no progress bar where there is no terminal");
    assert!(ended.stdout.starts_with("40 of 40 deliveries answered 2xx"), "{ended:?}");
    assert!(ended.stdout.contains("p99"), "{ended:?}");
    let received = listen.end().is(0).records();
    let ids: HashSet<_> = received.iter().map(|record| record["delivery_id"].to_string()).collect();
    assert_eq!(ids.len(), 40);
    assert!(received.iter().all(|record| record["duplicate_of"] == Value::Null));
}

#[test]
fn syncs_differ_even_if_their_run_count_is_set() {
    let server = Server::answering(&[&answer("200 OK", "")]);
    let set = ["--set", "/run_count=7", "--set", "/is_first_sync=false"];
    let args = ["send", "repo.sync.started", &server.url, "--count", "300", "--concurrency", "8"];
    let records = run(&[&args[..], &set, &["--json"]].concat()).is(0).records();
    let ids: HashSet<_> = records.iter().map(|record| record["delivery_id"].to_string()).collect();
    // The summary has no id, which counts as one more.
    assert_eq!(ids.len(), 301);
}

#[test]
fn an_answer_before_the_body_is_read_counts() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 512]).unwrap();
        stream.write_all(answer("413 Too Large", "").as_bytes()).unwrap();
    });
    let body = vec![b' '; 12 << 20];
    run_with_stdin(&["send", "e", &url, "--body", "-", "--expect", "413"], &body).is(0);
    server.join().unwrap();
}

#[test]
fn a_given_body_is_the_body_of_every_delivery() {
    let server = Server::answering(&[&answer("200 OK", "")]);
    let ended =
        run_with_stdin(&["send", "e", &server.url, "--body", "-", "--count", "3", "--json"], b"[]")
            .is(0);
    let records = ended.records();
    assert_eq!(records.len(), 4);
    assert!(records[..3].iter().all(|record| record["delivery_id"] == records[0]["delivery_id"]));
    let summary = &records[3]["summary"];
    assert_eq!((&summary["deliveries"], &summary["as_expected"]), (&3.into(), &3.into()));
    assert_eq!(summary["interrupted"], false);
    assert!(summary["ms"]["min"].as_f64() <= summary["ms"]["max"].as_f64());
}

#[test]
fn a_dry_run_prints_the_curl_command_and_sends_nothing() {
    let (listen, url) = Running::listen(&["--count", "2", "--json"]);
    let ended = run(&["send", "push", &url, "--dry-run", "--set", r#"/org="it's""#]).is(0);
    assert!(ended.stdout.starts_with("curl "), "{ended:?}");
    assert!(ended.stdout.contains("--data-binary '{"), "{ended:?}");
    assert!(ended.stdout.contains("-H 'X-Pierre-Signature: t="), "{ended:?}");

    let folder = Folder::new();
    let file = folder.write("body", b"\xff");
    let from_file =
        run(&["send", "e", &url, "--dry-run", "--body", &format!("@{file}"), "--json"]).is(0);
    let record = &from_file.records()[0];
    assert!(
        record["curl"].as_str().unwrap().contains(&format!("--data-binary @{file}")),
        "{record}"
    );
    assert_eq!(record["n"], 1);

    // If curl is installed, run the commands.
    if Command::new("curl").arg("--version").output().is_ok() {
        for line in [ended.stdout.trim_end(), record["curl"].as_str().unwrap()] {
            assert!(Command::new("sh").args(["-c", line]).output().unwrap().status.success());
        }
        let received = listen.end().is(1).records();
        assert_eq!(received[0]["verdict"], "verified");
        assert_eq!(received[1]["error"], "Invalid JSON payload");
    }
}

#[test]
fn send_escapes_the_answer_of_the_server() {
    let problem = "{\"detail\":\"\\u001b[2J\u{9b}31m\\u202eevil\"}";
    let hostile = format!(
        "HTTP/1.1 400 Bad\r\ncontent-type: application/problem+json\r\nx-evil: \u{9b}\r\ncontent-length: {}\r\n\r\n{problem}",
        problem.len()
    );
    let server = Server::answering(&[&hostile]);
    for args in [&["-v"][..], &[], &["--json"]] {
        let ended = run(&[&["send", "push", &server.url][..], args].concat()).is(1);
        let printed = ended.stdout + &ended.stderr;
        assert!(
            printed.chars().all(|character| character == '\n' || !character.is_control()),
            "{printed:?}"
        );
        assert!(!printed.contains('\u{202e}'));
        assert!(printed.contains("evil"), "{printed:?}");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_send_with_a_summary() {
    let server = Server::answering(&[&answer("200 OK", ""), ""]);
    let mut running =
        Running::start(command(&["send", "push", &server.url, "--count", "2", "--json"]));
    running.stdout_line();
    server.request();
    server.request();
    running.interrupt();
    let ended = running.end().is(130);
    let records = ended.records();
    assert_eq!(records.last().unwrap()["summary"]["interrupted"], true);
    assert_eq!(records.last().unwrap()["summary"]["deliveries"], 1);
}
