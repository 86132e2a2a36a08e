//! The command `replay`, and the files that `listen --save` writes for it.

use std::fs;

use serde_json::{Value, json};

use crate::{
    command::{Running, run, run_with_stdin, without_secret},
    folder::Folder,
    stub_server::{Server, answer, closed},
};

/// Saves three deliveries: a good one, an old one, and one that is not JSON.
fn saved(folder: &Folder) -> String {
    let path = folder.path("saved");
    let (listen, url) = Running::listen(&["--count", "3", "--save", &path, "--json"]);
    let url = format!("{url}/in?x=1");
    run(&["send", "push", &url]).is(0);
    run(&["send", "repo.sync.failed", &url, "--age", "10m"]).is(1);
    run_with_stdin(&["send", "e", &url, "--body", "-"], b"\xff\0").is(1);
    let records = listen.end().is(1).records();
    let names = folder.names("saved");
    assert_eq!(names.len(), 3);
    for (record, name) in records.iter().zip(&names) {
        assert!(record["saved"].as_str().unwrap().ends_with(name.as_str()), "{record} {name}");
    }
    path
}

#[test]
fn a_saved_delivery_holds_the_whole_request() {
    let folder = Folder::new();
    let path = saved(&folder);
    let names = folder.names("saved");
    let json: Value =
        serde_json::from_slice(&fs::read(format!("{path}/{}", names[2])).unwrap()).unwrap();
    let keys: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["at", "body_base64", "headers", "method", "path"]);
    assert_eq!((&json["method"], &json["path"]), (&json!("POST"), &json!("/in?x=1")));
    assert_eq!(json["body_base64"], "/wA=");
    assert!(
        json["headers"].as_array().unwrap().contains(&json!(["x-pierre-event", "ZQ=="])),
        "{json}"
    );
}

#[test]
fn saved_deliveries_are_replayed_in_order_verbatim_or_re_signed() {
    let folder = Folder::new();
    let path = saved(&folder);
    let (listen, url) = Running::listen(&["--count", "6", "--json"]);
    // A verbatim replay needs no secret.
    let verbatim = Running::start(without_secret(&["replay", &path, &url, "--json"])).end().is(1);
    let records = verbatim.records();
    let statuses: Vec<_> = records.iter().map(|record| &record["status"]).collect();
    assert_eq!(statuses, [&json!(200), &json!(401), &json!(400), &Value::Null]);
    assert_eq!(records[3]["summary"]["as_expected"], 1);
    let ended = run(&["replay", "--resign", &path, &url, "--expect", "200,400"]).is(0);
    assert!(ended.stdout.contains("3 of 3 deliveries answered 200,400"), "{ended:?}");
    let received = listen.end().is(1).records();
    for (sent, received) in records[..3].iter().zip(&received) {
        for field in ["n", "delivery_id", "signed_at"] {
            assert_eq!(sent[field], received[field]);
        }
    }
    assert_eq!(
        (&received[4]["verdict"], &received[4]["resigned"]),
        (&json!("verified"), &json!(true))
    );
}

#[test]
fn a_saved_delivery_is_replayed_with_its_method_and_headers() {
    let folder = Folder::new();
    let file = folder.write(
        "one.json",
        r#"{"at":"2026-03-17T10:00:00Z","method":"PUT","path":"/old","headers":[["x-a","/w=="],["x-a","Yg=="],["host","b2xk"]],"body_base64":"AAE="}"#,
    );
    let server = Server::answering(&[&answer("200 OK", "")]);
    let (listen, url) = Running::listen(&["--count", "1", "--forward-to", &server.url]);
    run(&["replay", &file, &url]).is(0);
    listen.end().is(1);
    let request = server.request();
    assert!(request.head[0].starts_with("PUT /hooks "));
    assert_eq!(request.body, [0, 1]);
    assert_eq!(request.header("x-a"), Some("\u{fffd}"));
}

#[test]
fn replay_reports_invalid_files_and_sends_the_others() {
    let folder = Folder::new();
    fs::create_dir(folder.path("d")).unwrap();
    let good =
        r#"{"at":"2026-03-17T10:00:00Z","method":"POST","path":"/","headers":[],"body_base64":""}"#;
    folder.write("d/1.json", "{}");
    folder.write("d/2.json", good);
    folder.write("d/3.json", good.replace("\"\"", "\"*\""));
    folder.write("d/notes.txt", "not looked at");
    let (listen, url) = Running::listen(&["--count", "1"]);
    let ended = run(&["replay", &folder.path("d"), &url, "--expect", "400", "--json"]).is(3);
    listen.end().is(1);
    let records = ended.records();
    assert!(records[0]["error"].as_str().unwrap().contains("1.json is not a saved delivery"));
    assert_eq!(records[1]["status"], 400);
    assert!(records[2]["error"].as_str().unwrap().contains("its body is not base64"));
    assert_eq!(records[3]["summary"]["unreachable"], 2);
}

#[test]
fn replay_exits_with_3_without_deliveries_or_without_a_server() {
    let folder = Folder::new();
    let url = format!("http://{}/", closed());
    for path in [folder.path("absent"), folder.path("")] {
        let ended = run(&["replay", &path, &url]).is(3);
        assert!(ended.stderr.starts_with("error: "), "{ended:?}");
    }
    run(&["replay", &saved(&folder), &url]).is(3);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_replay_with_a_summary() {
    let folder = Folder::new();
    let path = saved(&folder);
    let server = Server::answering(&[&answer("200 OK", ""), ""]);
    let running = Running::start(without_secret(&["replay", &path, &server.url, "--json"]));
    server.request();
    server.request();
    running.interrupt();
    let records = running.end().is(130).records();
    assert_eq!(records.last().unwrap()["summary"]["interrupted"], true);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_read_that_does_not_react_to_it() {
    let folder = Folder::new();
    saved(&folder);
    // A pipe that nobody writes to, read after the saved deliveries.
    let pipe = folder.path("saved/pipe.json");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let server = Server::answering(&[&answer("200 OK", "")]);
    let args = ["replay", &folder.path("saved"), &server.url, "--json"];
    let mut running = Running::start(without_secret(&args));
    for _ in 0..3 {
        running.stdout_line();
    }
    running.interrupt();
    running.end().is(130);
}
