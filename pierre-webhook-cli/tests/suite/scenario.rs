//! `send --scenario`.

use serde_json::{Value, json};

use crate::{
    command::{Running, run},
    folder::Folder,
    stub_server::closed,
};

const NIGHT: &str = r#"
# A night at a receiver.
send push --set /ref='"refs/heads/main"'
again                                   # a duplicate
again --resigned
wait 10ms
send push --age 10m --expect 401        # delayed for too long
send push --header 'X-Pierre-Signature: t=1,sha256=00' --expect 401
send branch.created --body @BODY
send repo.sync.failed --count 2 --chunked
send push --secret-file WRONG --expect 401
again --expect 401
"#;

#[test]
fn a_scenario_sends_its_deliveries_in_order() {
    let folder = Folder::new();
    let (body, wrong) = (folder.write("body.json", "{}"), folder.write("wrong", "another secret"));
    let night = NIGHT.replace("BODY", &body).replace("WRONG", &wrong);
    let file = folder.write("night", &night);
    let (listen, url) = Running::listen(&["--count", "10", "--json"]);
    let ended = run(&["send", "--scenario", &file, &url]).is(0);
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert!(lines[0].starts_with("#1  200 OK") && lines[9].starts_with("#10  401"), "{ended:?}");
    assert!(
        lines[10].starts_with("10 of 10 deliveries answered as expected, 0 answered otherwise"),
        "{ended:?}"
    );
    let records = listen.end().is(1).records();
    let seen: Vec<_> = records
        .iter()
        .map(|record| (record["event"].as_str().unwrap(), record["duplicate_of"].as_u64()))
        .collect();
    assert_eq!(
        seen,
        [
            ("push", None),
            ("push", Some(1)),
            ("push", Some(1)),
            ("push", None),
            ("push", None),
            ("branch.created", None),
            ("repo.sync.failed", None),
            ("repo.sync.failed", None),
            ("push", None),
            ("push", Some(9)),
        ]
    );
    assert_eq!(records[1]["resigned"], json!(false));
    let errors: Vec<_> = records.iter().map(|record| &record["error"]).collect();
    assert!(errors[3].as_str().unwrap().starts_with("Webhook timestamp too old"), "{errors:?}");
    assert_eq!(errors[5..8], [&Value::Null; 3]);
    assert_eq!(errors[8..], [&json!("Invalid signature"); 2]);
}

#[test]
fn an_unexpected_answer_is_a_negative_verdict_of_the_scenario() {
    let folder = Folder::new();
    let file = folder.write("scenario", "send push --expect 401\nsend push\n");
    let (listen, url) = Running::listen(&["--count", "2"]);
    let ended = run(&["send", "--scenario", &file, &url, "--json"]).is(1);
    let records = ended.records();
    assert_eq!(records[2]["summary"]["unexpected"], 1);
    assert_eq!(records[2]["summary"]["as_expected"], 1);
    listen.end().is(0);
    run(&["send", "--scenario", &file, &format!("http://{}/", closed())]).is(3);
}

#[test]
fn a_wrong_line_is_named_before_anything_is_sent() {
    let folder = Folder::new();
    let (listen, url) = Running::listen(&["--count", "1", "--timeout", "500ms"]);
    for (line, why) in [
        ("send", "line 3: the following required arguments were not provided"),
        ("sned push", "line 3: unrecognized subcommand 'sned'"),
        ("send push --expect maybe", "line 3: invalid value 'maybe' for '--expect <STATUS>'"),
        ("send push 'oops", "line 3: a quote is not closed"),
        ("send branch.created", "line 3: branch.created has no documented payload"),
        ("send e --body @/does/not/exist", "line 3: cannot read /does/not/exist"),
        ("send push --concurrency 2", "line 3: unexpected argument"),
        ("wait", "line 3: the following required arguments were not provided"),
    ] {
        let file = folder.write("scenario", format!("send push\n\n{line}\n"));
        let ended = run(&["send", "--scenario", &file, &url]);
        assert!(ended.stderr.contains(why), "{line}: {ended:?}");
        assert!([Some(2), Some(3)].contains(&ended.code), "{line}: {ended:?}");
    }
    for (text, why) in
        [("again\n", "line 1: nothing was sent before"), ("# nothing\n", "sends nothing")]
    {
        let ended = run(&["send", "--scenario", &folder.write("scenario", text), &url]).is(2);
        assert!(ended.stderr.contains(why), "{ended:?}");
    }
    // Nothing arrived.
    assert!(listen.end().is(1).stderr.contains("0 verified, 0 refused"));
}

#[test]
fn a_scenario_has_no_other_options_of_a_delivery() {
    let folder = Folder::new();
    let file = folder.write("scenario", "send push\n");
    for args in [
        &["--age", "1m"][..],
        &["--count", "2"],
        &["--retries", "2"],
        &["--dry-run"],
        &["--print-body"],
        &["--concurrency", "2"],
    ] {
        let args = [&["send", "--scenario", &file, "http://127.0.0.1:1/"], args].concat();
        assert!(run(&args).is(2).stderr.contains("cannot be used with"), "{args:?}");
    }
    let ended = run(&["send", "push", "http://127.0.0.1:1/", "--scenario", &file]).is(2);
    assert!(ended.stderr.contains("the only argument is the URL"), "{ended:?}");
    let ended = run(&["send", "--scenario", &file, "localhost"]).is(2);
    assert!(ended.stderr.contains("the URL is not a URL such as"), "{ended:?}");
}
