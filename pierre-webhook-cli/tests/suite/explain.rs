//! The command `explain`.

use std::fs;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use pierre_webhook_core::Secret;
use serde_json::{Value, json};

#[cfg(unix)]
use crate::command::command;
use crate::{
    command::{Ended, Running, SECRET, run, run_with_stdin, without_secret},
    folder::Folder,
};

const AT: u64 = 1_790_000_000;

const BODY: &str = r#"{"repository":{"id":"repo_1","url":"team/é"},"ref":"refs/heads/main","before":"0","after":"1","customer_id":"c","pushed_at":"2024-01-20T10:30:00Z"}"#;

/// Explains a push that was signed with `secret` over `signed`, but arrived as `arrived`.
fn explain(secret: &[u8], signed: &[u8], arrived: &[u8], more: &[&str]) -> Ended {
    let signature = Secret::new(secret).unwrap().sign(AT, signed);
    explain_signature(&signature, arrived, more)
}

fn explain_signature(signature: &str, arrived: &[u8], more: &[&str]) -> Ended {
    let args = [
        &["explain", "--signature", signature, "--event", "push", "--body", "-"][..],
        &["--now", "2026-09-21T14:13:20Z", "--json"],
        more,
    ];
    run_with_stdin(&args.concat(), arrived)
}

/// Asserts that a cause is proven, and returns it.
#[track_caller]
fn proven(ended: Ended) -> Value {
    let ended = ended.is(1);
    let records = ended.records();
    assert_eq!(records.len(), 11, "{ended:#?}");
    assert_eq!(records[6]["rule"], "5");
    assert_eq!(records[6]["state"], "failed");
    let last = records.last().unwrap();
    assert_eq!(last["verdict"], "proven", "{last:#}");
    assert!(last["causes"][0]["fix"].as_str().unwrap().ends_with('.'));
    last["causes"][0].clone()
}

#[test]
fn a_good_delivery_passes_every_rule() {
    let ended = explain(SECRET.as_bytes(), BODY.as_bytes(), BODY.as_bytes(), &[]).is(0);
    let records = ended.records();
    assert!(records[..10].iter().all(|record| record["state"] == "passed"));
    assert_eq!(records[10]["verdict"], "verified");
    let rules: Vec<_> =
        records[..10].iter().map(|record| record["rule"].as_str().unwrap()).collect();
    assert_eq!(rules, ["1", "2", "3", "4", "4b", "4c", "5", "6", "7a", "7b"]);
}

#[test]
fn rules_after_the_one_that_failed_are_not_reached() {
    let ended = explain(SECRET.as_bytes(), b"[", b"[", &[]).is(1);
    let records = ended.records();
    assert_eq!(
        (&records[7]["state"], &records[8]["state"]),
        (&json!("failed"), &json!("not reached"))
    );
    assert_eq!(records[7]["error"], "Invalid JSON payload (line 1, column 1)");
    assert_eq!((&records[10]["verdict"], &records[10]["rule"]), (&json!("refused"), &json!("6")));
    assert_eq!(records[10]["causes"], json!([]));
}

#[test]
fn a_changed_secret_is_proven() {
    for (signed_with, words) in [
        (format!("{SECRET}\n"), "with a newline at its end"),
        (format!("{SECRET}\r\n"), "with a CR LF at its end"),
        (format!("\"{SECRET}\""), "in double quotes"),
        ("k3yForDocsOnly_2f6c".to_owned(), "without its prefix"),
    ] {
        let cause = proven(explain(signed_with.as_bytes(), BODY.as_bytes(), BODY.as_bytes(), &[]));
        assert_eq!(cause["secret"], words);
        assert_eq!((&cause["body"], &cause["content"]), (&Value::Null, &Value::Null));
    }
    let folder = Folder::new();
    for (file, signed_with, words) in [
        ("s3cret\r", "s3cret", "without the white space at its end"),
        ("whsec_c2VjcmV0", "secret", "without its prefix, decoded from base64"),
        ("736563726574", "secret", "decoded from hex"),
        ("SECRET=s3cret\n", "s3cret", "only the part after the ="),
    ] {
        let file = folder.write("secret", file);
        let ended = explain(signed_with.as_bytes(), b"{}", b"{}", &["--secret-file", &file]);
        assert_eq!(proven(ended)["secret"], words);
    }
}

#[test]
fn a_changed_body_is_proven() {
    let value: Value = serde_json::from_str(BODY).unwrap();
    let sorted = serde_json::to_string_pretty(&value).unwrap();
    let compact = "written compactly, members in the documented order";
    let ascii = BODY.replace('é', "\\u00e9");
    let slashes = BODY.replace('/', "\\/");
    for (signed, arrived, words) in [
        (BODY, &*sorted, compact),
        (BODY, &*BODY.replace(",\"", ", \"").replace("\":", "\": "), "written compactly"),
        (&*ascii, BODY, r"written compactly, non-ASCII as \u escapes"),
        (&*slashes, BODY, r"written compactly, / as \/"),
        (BODY, &*format!("{BODY}\n"), "without the newline at its end"),
        (&*format!("{BODY}\n"), BODY, "with a newline at its end"),
        (BODY, &*format!("\u{feff}{BODY}"), "without the byte order mark"),
        ("", BODY, "an empty body"),
        ("[\r\n]", "[\n]", "with CR LF instead of LF"),
        ("{}", "e30=", "decoded from base64"),
    ] {
        let cause = proven(explain(SECRET.as_bytes(), signed.as_bytes(), arrived.as_bytes(), &[]));
        assert_eq!(cause["body"], words, "{arrived}");
        assert_eq!(cause["secret"], Value::Null);
    }
    let lossy = explain(SECRET.as_bytes(), "[\u{fffd}]".as_bytes(), b"[\xff]", &[]);
    assert_eq!(proven(lossy)["body"], "with invalid UTF-8 replaced by U+FFFD");
}

#[test]
fn changed_signed_content_is_proven() {
    // `<t>.<body>` is signed with one timestamp, and the header holds another.
    let secret = Secret::new(SECRET).unwrap();
    let at_1 = |t: u64| secret.sign(t, b"{}").replace(&format!("t={t},"), &format!("t={AT},"));
    let cause = proven(explain_signature(&at_1(AT * 1000), b"{}", &[]));
    assert_eq!(cause["content"], "the timestamp in milliseconds");

    let folder = Folder::new();
    let dump = format!(
        "POST /hooks HTTP/1.1\r\nX-Pierre-Event: ping\r\nX-Pierre-Signature: {}\r\nX-Sent-At: 1790000007\r\n\r\n{{}}",
        at_1(AT + 7)
    );
    let file = folder.write("dump", dump);
    let ended = run(&["explain", &file, "--now", &AT.to_string(), "--json"]);
    assert_eq!(proven(ended)["content"], "the timestamp of the header x-sent-at");
}

#[test]
fn a_changed_secret_and_a_changed_body_are_proven_together() {
    let signed_with = format!("{SECRET}\n");
    let arrived = format!("{BODY}\n");
    let cause = proven(explain(signed_with.as_bytes(), BODY.as_bytes(), arrived.as_bytes(), &[]));
    assert_eq!(cause["secret"], "with a newline at its end");
    assert_eq!(cause["body"], "without the newline at its end");
}

#[test]
fn a_wrong_signature_is_explained_even_if_the_delivery_is_too_old() {
    let signed_with = format!("{SECRET}\n");
    let ended = explain(signed_with.as_bytes(), b"{}", b"{}", &["--max-age", "0"]);
    // It is signed and verified in the same second, so an age of 0 passes.
    proven(ended);
    let old = Secret::new(&signed_with).unwrap().sign(AT - 1000, b"{}");
    let ended = explain_signature(&old, b"{}", &[]).is(1);
    let records = ended.records();
    assert_eq!((&records[3]["state"], &records[6]["state"]), (&json!("failed"), &json!("failed")));
    assert_eq!(
        (&records[4]["state"], &records[7]["state"]),
        (&json!("not reached"), &json!("not reached"))
    );
    assert_eq!((&records[10]["verdict"], &records[10]["rule"]), (&json!("refused"), &json!("4")));
    assert_eq!(records[10]["causes"][0]["secret"], "with a newline at its end");
    let ended = explain_signature(&old, b"{}", &["--any-age"]).is(1);
    assert_eq!(ended.records()[10]["verdict"], "proven");
}

#[test]
fn an_unexplained_signature_lists_what_was_ruled_out() {
    let ended = explain(b"another", BODY.as_bytes(), BODY.as_bytes(), &[]).is(1);
    let records = ended.records();
    let last = records.last().unwrap();
    assert_eq!(last["verdict"], "unexplained");
    assert!(last["ruled_out"].as_array().unwrap().len() >= 20, "{last:#}");
    assert_eq!(last["not_tried"], Value::Null);

    let ended = explain_signature("t=1790000000,sha256=zz", b"{}", &[]).is(1);
    assert!(ended.records()[10]["not_tried"][0].as_str().unwrap().contains("64 hex digits"));
}

#[test]
fn explain_prints_the_cause_and_the_fix_or_the_next_step() {
    let folder = Folder::new();
    let body = format!("@{}", folder.write("body", format!("{BODY}\n")));
    let explain = |secret: &str| {
        let signature = Secret::new(secret).unwrap().sign(AT, BODY.as_bytes());
        let args = ["explain", "--signature", &signature, "--event", "push", "--body", &body];
        run(&[&args[..], &["--now", "1790000000"]].concat()).is(1).stdout
    };
    let proven = explain(SECRET);
    assert!(proven.contains("rule 5   failed       Invalid signature\n"), "{proven}");
    assert!(proven.contains("rule 6   not reached"), "{proven}");
    assert!(
        proven.contains("proven: ") && proven.contains("without the newline at its end"),
        "{proven}"
    );
    assert!(
        proven.contains("\nfix: ") && proven.contains("axum") && proven.contains("actix"),
        "{proven}"
    );
    let unexplained = explain("another");
    assert!(unexplained.contains("unexplained") && unexplained.contains("--wire"), "{unexplained}");
}

#[test]
fn the_age_of_a_saved_delivery_is_judged_at_its_arrival() {
    let folder = Folder::new();
    let signature = STANDARD.encode(Secret::new(SECRET).unwrap().sign(AT, b"{}"));
    let saved = json!({
        "at": "2026-09-21T14:13:22Z",
        "method": "POST",
        "path": "/",
        "headers": [["x-pierre-event", STANDARD.encode("e")], ["x-pierre-signature", signature]],
        "body_base64": STANDARD.encode("{}"),
    });
    let file = folder.write("saved.json", saved.to_string());
    let ended = run(&["explain", &file, "--max-age", "2s"]).is(0);
    assert!(ended.stdout.contains("verified"), "{ended:?}");
    let ended = run(&["explain", &file, "--now", "2100-01-01T00:00:00Z"]).is(1);
    assert!(ended.stdout.contains("refused by rule 4"), "{ended:?}");
    let bytes = fs::read(&file).unwrap();
    run_with_stdin(&["explain", "-", "--max-age", "2s"], &bytes).is(0);
}

#[test]
fn an_incomplete_dump_fails_rule_4c() {
    let folder = Folder::new();
    let signature = Secret::new(SECRET).unwrap().sign(AT, b"{}");
    let dump = format!(
        "POST / HTTP/1.1\nX-Pierre-Event: e\nX-Pierre-Signature: {signature}\nContent-Length: 2\n\n{{"
    );
    let file = folder.write("dump", dump);
    let ended = run(&["explain", &file, "--now", &AT.to_string()]).is(1);
    assert!(ended.stdout.contains("refused by rule 4c"), "{ended:?}");
}

#[test]
fn wire_and_app_are_compared_and_the_change_is_named() {
    let folder = Folder::new();
    let wire = folder.write("wire", format!("{BODY}\n"));
    let app = folder.write("app", BODY.replace("main", "ma\x1b[31m"));
    let same =
        Running::start(without_secret(&["explain", "--wire", &wire, "--app", &wire])).end().is(0);
    assert!(same.stdout.starts_with("same"), "{same:?}");
    let ended = run(&["explain", "--wire", &wire, "--app", &app]).is(1);
    assert!(ended.stdout.contains(r"\u{1b}[31m") && !ended.stdout.contains('\x1b'), "{ended:?}");
    let app = folder.write("app", BODY);
    let record = &run(&["explain", "--wire", &wire, "--app", &app, "--json"]).is(1).records()[0];
    assert_eq!(
        (&record["offset"], &record["form"]),
        (&json!(BODY.len()), &json!("without the newline at its end"))
    );
}

#[test]
fn explain_takes_exactly_one_source() {
    let folder = Folder::new();
    let junk = folder.write("junk", "nothing of the kind");
    run(&["explain"]).is(2);
    run(&["explain", &junk, "--signature", "x", "--event", "e", "--body", "-"]).is(2);
    run(&["explain", "--signature", "x"]).is(2);
    run(&["explain", "--wire", &junk]).is(2);
    let ended = run(&["explain", &junk]).is(3);
    assert!(ended.stderr.contains("neither a saved delivery nor the dump"), "{ended:?}");
    run(&["explain", &folder.path("absent")]).is(3);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_search_of_explain() {
    let folder = Folder::new();
    let body = format!("@{}", folder.write("body", "x".repeat(8 << 20)));
    let signature = Secret::new("another").unwrap().sign(AT, b"");
    let args = ["explain", "--signature", &signature, "--event", "e", "--body", &body];
    let more = ["--now", "1790000000", "--body-limit", "16MiB"];
    let mut running = Running::start(command(&[&args[..], &more].concat()));
    assert!(running.stderr_line().contains("searching"));
    // Before the command handles Ctrl-C, the signal itself ends the process.
    running.interrupt();
    let ended = running.end();
    assert!(ended.code.is_none_or(|code| code == 130), "{ended:?}");
}
