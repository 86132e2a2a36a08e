//! The command `attack`.

use serde_json::json;

#[cfg(unix)]
use crate::command::command;
use crate::{
    command::{Ended, Running, SECRET, run, without_secret},
    folder::Folder,
    receivers,
    stub_server::{Server, answer, closed},
};

/// Asserts that every case passed.
#[track_caller]
fn is_passed(ended: Ended) {
    let ended = ended.is(0);
    let records = ended.records();
    let summary = &records.last().unwrap()["summary"];
    assert_eq!(summary["failed"], 0, "{summary}");
    assert!(summary["passed"].as_u64().unwrap() > 130, "{summary}");
    assert!(records[..records.len() - 1].iter().all(|record| record["pass"] == true));
}

#[test]
fn listen_passes_every_case_exactly() {
    let folder = Folder::new();
    let other = folder.write("other", "whsec_previous");
    let own = folder.write("own", SECRET);
    let files = ["--secret-file", &own, "--secret-file", &other];
    let (listen, url) = Running::listen(&[&files[..], &["--max-age", "2m", "-q"]].concat());
    let args = [&["attack", &url, "--exact", "--json", "--max-age", "2m"], &files[..]].concat();
    is_passed(run(&args));
    drop(listen);
}

#[test]
fn axum_and_actix_receivers_pass_every_case_exactly() {
    for (_, url) in receivers::both() {
        is_passed(run(&["attack", &url, "--exact", "--json"]));
    }
}

#[test]
fn attack_expects_old_deliveries_to_be_accepted_with_any_age() {
    let (listen, url) = Running::listen(&["--any-age", "--body-limit", "4KiB"]);
    let same = run(&["attack", &url, "--any-age", "--body-limit", "4KiB"]).is(0);
    assert!(same.stdout.contains("skip  body-deep "), "{same:?}");
    let other = run(&["attack", &url, "--only", "age-"]).is(1);
    assert!(other.stdout.contains("FAIL  age-a-day"), "{other:?}");
    assert!(other.stdout.contains("accepted 200; it must be refused"), "{other:?}");
    drop(listen);
}

#[test]
fn a_server_that_accepts_everything_fails_every_illegal_case() {
    let server = Server::answering(&[&answer("200 OK", "")]);
    let ended = run(&["attack", &server.url, "--only", "wrong-", "--only", "push", "--json"]).is(1);
    let records = ended.records();
    let failed: Vec<_> = records.iter().filter(|record| record["pass"] == false).collect();
    assert!(failed.len() > 20);
    assert_eq!(failed[0]["expected"], json!({"verdict": "refused", "status": null, "text": null}));
    assert_eq!(failed[0]["got"], json!({"verdict": "accepted", "status": 200, "text": null}));
    assert_eq!(
        records[0],
        json!({
            "case": "push",
            "expected": {"verdict": "accepted", "status": null, "text": null},
            "got": {"verdict": "accepted", "status": 200, "text": null},
            "pass": true,
        })
    );
}

#[test]
fn a_server_that_rejects_a_good_delivery_is_not_attacked() {
    let server = Server::answering(&[&answer("401 Unauthorized", "")]);
    let ended = run(&["attack", &server.url]).is(1);
    assert!(ended.stdout.contains("a good delivery is not accepted: refused 401"), "{ended:?}");
    assert!(ended.stdout.ends_with("\n0 passed, 1 failed, 0 skipped\n"), "{ended:?}");
}

#[test]
fn a_crash_fails_the_case_that_caused_it() {
    let (good, bad) = (answer("200 OK", ""), answer("500 Internal Server Error", ""));
    let server = Server::answering(&[&good, &bad, &good]);
    let ended = run(&["attack", &server.url, "--only", "wrong-zeros"]).is(1);
    assert!(ended.stdout.contains("FAIL  wrong-zeros"), "{ended:?}");
    assert!(ended.stdout.contains("failed 500; it must be refused"), "{ended:?}");
    // The server rejects the case, and then fails.
    let refused = answer("401 Unauthorized", "");
    let server = Server::answering(&[&good, &refused, &bad]);
    let ended = run(&["attack", &server.url, "--only", "wrong-zeros"]).is(1);
    assert!(ended.stdout.contains("a good delivery afterwards: failed 500"), "{ended:?}");
}

#[test]
fn attack_exits_with_3_if_the_server_does_not_answer() {
    let ended = run(&["attack", &format!("http://{}/", closed())]).is(3);
    assert!(ended.stderr.contains("no answer to a good delivery: unreachable"), "{ended:?}");
    let silent = Server::answering(&[&answer("200 OK", ""), ""]);
    run(&["attack", &silent.url, "--only", "wrong-zeros", "--timeout", "1s"]).is(3);
    // The server closes the case without an answer, and works on.
    let good = answer("200 OK", "");
    let closing = Server::answering(&[&good, "?", &good]);
    let ended = run(&["attack", &closing.url, "--only", "wrong-zeros"]).is(3);
    assert!(ended.stdout.contains("FAIL  wrong-zeros"), "{ended:?}");
    assert!(ended.stdout.contains("closed; it must be refused"), "{ended:?}");
    let closing = Server::answering(&["?"]);
    let ended = run(&["attack", &closing.url]).is(3);
    assert!(ended.stderr.contains("no answer to a good delivery: closed"), "{ended:?}");
}

#[test]
fn attack_cases_are_listed_and_selected_by_prefix() {
    let list = Running::start(without_secret(&["attack", "--list", "--json"])).end().is(0);
    let records = list.records();
    assert!(records.len() > 130);
    assert!(records.iter().all(|record| record["case"].is_string() && record["about"].is_string()));
    let some = run(&["attack", "--list", "--only", "wire-"]).is(0);
    assert!(some.stdout.lines().all(|line| line.starts_with("wire-")), "{some:?}");
    run(&["attack", "--list", "--only", "nothing"]).is(2);
}

#[test]
fn attacking_another_host_requires_consent() {
    // The command stops before it looks up the name.
    let ended = run(&["attack", "http://receiver.invalid/"]).is(2);
    assert!(ended.stderr.contains("receiver.invalid is not this machine"), "{ended:?}");
}

#[test]
fn attack_escapes_the_answer_of_the_server() {
    let problem = "{\"detail\":\"\\u001b[2J\u{9b}31m\"}";
    let hostile = format!("HTTP/1.1 400 Bad\r\ncontent-length: {}\r\n\r\n{problem}", problem.len());
    let server = Server::answering(&[&answer("200 OK", ""), &hostile]);
    for json in [&[][..], &["--json"]] {
        let ended = run(&[&["attack", &server.url, "--only", "wrong-zeros"], json].concat()).is(1);
        let printed = ended.stdout;
        assert!(
            printed.chars().all(|character| character == '\n' || !character.is_control()),
            "{printed:?}"
        );
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_attack_with_a_summary() {
    let server = Server::answering(&[&answer("200 OK", ""), ""]);
    let running = Running::start(command(&["attack", &server.url, "--json"]));
    server.request();
    server.request();
    running.interrupt();
    let records = running.end().is(130).records();
    assert_eq!(records.last().unwrap()["summary"]["interrupted"], true);
}
