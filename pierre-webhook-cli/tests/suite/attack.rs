//! `attack`.

use serde_json::json;

use crate::{
    command::{Ended, Running, SECRET, command, run, without_secret},
    folder::Folder,
    receivers,
    wrong::{Server, answer, closed},
};

/// Every case, and each of them passed.
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
fn listen_passes_all_of_it_to_the_text() {
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
fn axum_and_actix_pass_all_of_it_to_the_text() {
    for (_, url) in receivers::both() {
        is_passed(run(&["attack", &url, "--exact", "--json"]));
    }
}

#[test]
fn with_any_age_old_deliveries_must_be_accepted() {
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
fn a_server_that_refuses_a_good_delivery_is_not_attacked() {
    let server = Server::answering(&[&answer("401 Unauthorized", "")]);
    let ended = run(&["attack", &server.url]).is(1);
    assert!(ended.stdout.contains("a good delivery is not accepted: refused 401"), "{ended:?}");
    assert!(ended.stdout.ends_with("\n0 passed, 1 failed, 0 skipped\n"), "{ended:?}");
}

#[test]
fn a_crash_is_a_failure_of_the_case_that_made_it() {
    let (good, bad) = (answer("200 OK", ""), answer("500 Internal Server Error", ""));
    let server = Server::answering(&[&good, &bad, &good]);
    let ended = run(&["attack", &server.url, "--only", "wrong-zeros"]).is(1);
    assert!(ended.stdout.contains("FAIL  wrong-zeros"), "{ended:?}");
    assert!(ended.stdout.contains("failed 500; it must be refused"), "{ended:?}");
    // Refused as it must be, and then dead.
    let refused = answer("401 Unauthorized", "");
    let server = Server::answering(&[&good, &refused, &bad]);
    let ended = run(&["attack", &server.url, "--only", "wrong-zeros"]).is(1);
    assert!(ended.stdout.contains("a good delivery afterwards: failed 500"), "{ended:?}");
}

#[test]
fn nobody_there_is_exit_code_3() {
    let ended = run(&["attack", &format!("http://{}/", closed())]).is(3);
    assert!(ended.stderr.contains("no answer to a good delivery: unreachable"), "{ended:?}");
    let silent = Server::answering(&[&answer("200 OK", ""), ""]);
    run(&["attack", &silent.url, "--only", "wrong-zeros", "--timeout", "1s"]).is(3);
    // Nobody answers the case, and the server lives on.
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
fn cases_are_listed_and_chosen_by_the_beginning_of_their_name() {
    let list = Running::start(without_secret(&["attack", "--list", "--json"])).end().is(0);
    let records = list.records();
    assert!(records.len() > 130);
    assert!(records.iter().all(|record| record["case"].is_string() && record["about"].is_string()));
    let some = run(&["attack", "--list", "--only", "wire-"]).is(0);
    assert!(some.stdout.lines().all(|line| line.starts_with("wire-")), "{some:?}");
    run(&["attack", "--list", "--only", "nothing"]).is(2);
}

#[test]
fn another_host_needs_a_yes() {
    // Nothing is sent to it: it is refused before the name is looked up.
    let ended = run(&["attack", "http://receiver.invalid/"]).is(2);
    assert!(ended.stderr.contains("receiver.invalid is not this machine"), "{ended:?}");
}

#[test]
fn what_a_server_answers_reaches_no_terminal() {
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
fn ctrl_c_ends_it_with_a_summary() {
    let server = Server::answering(&[&answer("200 OK", ""), ""]);
    let running = Running::start(command(&["attack", &server.url, "--json"]));
    server.request();
    server.request();
    running.interrupt();
    let records = running.end().is(130).records();
    assert_eq!(records.last().unwrap()["summary"]["interrupted"], true);
}
