//! The command `inbox`, on a SQLite file that the inbox wrote.

use std::time::Duration;

use pierre_webhook_core::TestDelivery;
use pierre_webhook_inbox::{Inbox, Job, Worker};
use serde_json::{Value, json};

use crate::{
    command::{Running, run, without_secret},
    folder::Folder,
};

/// An inbox with a delivery that waits, one that is done and one that is dead. Returns their ids, in this order.
fn inbox(folder: &Folder) -> (String, [String; 3]) {
    let path = folder.path("webhooks.db");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let deliveries = ["1", "2", "3"].map(|body| TestDelivery::new("ping", body).delivery());
    let ids = deliveries.each_ref().map(|delivery| delivery.id().to_string());
    runtime.block_on(async {
        let inbox = Inbox::sqlite(&path).await.unwrap();
        let [ready, done, dead] = deliveries;
        for delivery in [done, dead] {
            inbox.insert(&delivery).await.unwrap();
        }
        let handler = async |job: Job| {
            if &*job.body == b"2" { Ok(()) } else { Err("no such\u{1b}[31m repository") }
        };
        let seen = inbox.clone();
        let until = async move {
            loop {
                let stats = seen.stats().await.unwrap();
                if (stats.ready, stats.running, stats.dead) == (0, 0, 1) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let worker = Worker::new(inbox.clone(), handler).max_attempts(1);
        tokio::time::timeout(Duration::from_secs(20), worker.run(until)).await.unwrap().unwrap();
        inbox.insert(&ready).await.unwrap();
    });
    (path, ids)
}

fn without(record: &Value, members: &[&str]) -> Value {
    let mut record = record.clone();
    for member in members {
        record.as_object_mut().unwrap().remove(*member).unwrap();
    }
    record
}

#[test]
fn list_shows_what_waits_and_what_is_dead() {
    let folder = Folder::new();
    let (path, [ready, done, dead]) = inbox(&folder);
    let ended = run(&["inbox", "list", "--database", &path]).is(0);
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{ended:?}");
    assert!(lines[0].starts_with(&format!("ready    {ready}")), "{ended:?}");
    assert!(lines[1].starts_with(&format!("dead     {dead}")), "{ended:?}");
    assert!(lines[1].ends_with(r"tries 1  no such\u{1b}[31m repository"), "{ended:?}");
    assert!(ended.stderr.starts_with("1 ready, 0 running, 1 dead"), "{ended:?}");

    let ended = run(&["inbox", "list", "--database", &path, "--state", "done", "--json"]).is(0);
    let [record, summary] = &ended.records()[..] else { panic!("{ended:?}") };
    assert_eq!(
        without(record, &["received_at", "due", "ended_at"]),
        json!({"id": done, "state": "done", "event": "ping", "repository": null, "tenant": null, "tries": 1,
            "attempt": 1, "error": null})
    );
    let counts = without(&summary["summary"], &["oldest_waiting_seconds"]);
    assert_eq!(counts, json!({"ready": 1, "running": 0, "dead": 1}));
}

#[test]
fn show_has_the_body() {
    let folder = Folder::new();
    let (path, [_, _, dead]) = inbox(&folder);
    let ended = run(&["inbox", "show", &dead, "--database", &path]).is(0);
    assert!(ended.stdout.contains("state       dead\n"), "{ended:?}");
    assert!(ended.stdout.ends_with("\n3\n"), "{ended:?}");
    assert_eq!(run(&["inbox", "show", &dead, "--body", "--database", &path]).is(0).stdout, "3");
    let ended = run(&["inbox", "show", &dead, "--json", "--database", &path]).is(0);
    assert_eq!(ended.records()[0]["body"], "3");
    let unknown = "0".repeat(dead.len());
    let ended = run(&["inbox", "show", &unknown, "--database", &path]).is(1);
    assert_eq!(ended.stderr, format!("{unknown} is not in the inbox\n"));
}

#[test]
fn a_dead_delivery_is_retried_or_discarded() {
    let folder = Folder::new();
    let (path, [ready, _, dead]) = inbox(&folder);
    let ended = run(&["inbox", "retry", &ready, &dead, "--database", &path]).is(1);
    assert_eq!(ended.stdout, format!("{dead} retried\n"));
    assert_eq!(ended.stderr, format!("{ready} is not a dead delivery\n"));
    let ended = run(&["inbox", "list", "--database", &path, "--json"]).is(0);
    assert_eq!(ended.records().last().unwrap()["summary"]["ready"], 2);

    let other = Folder::new();
    let (path, [_, _, dead]) = inbox(&other);
    let ended = run(&["inbox", "discard", "--all", "--database", &path, "--json"]).is(0);
    assert_eq!(ended.records(), [json!({"id": dead, "discarded": true})]);
    let ended = run(&["inbox", "list", "--database", &path, "--json"]).is(0);
    assert_eq!(ended.records().last().unwrap()["summary"]["dead"], 0);
    run(&["inbox", "retry", "--database", &path]).is(2);
}

#[test]
fn prune_removes_what_is_done() {
    let folder = Folder::new();
    let (path, [_, done, _]) = inbox(&folder);
    let prune = ["inbox", "prune", "--age", "0s", "--database", &path];
    assert_eq!(run(&prune).is(0).stdout, "1 bodies and 0 entries removed\n");
    let ended = run(&["inbox", "show", &done, "--database", &path]).is(0);
    assert!(ended.stdout.ends_with("(the body was pruned)\n"), "{ended:?}");
    let ended = run(&[&prune[..], &["--retention", "0s"]].concat()).is(0);
    assert_eq!(ended.stdout, "0 bodies and 1 entries removed\n");
    run(&["inbox", "show", &done, "--database", &path]).is(1);
}

#[test]
fn the_database_is_named_and_never_created() {
    let folder = Folder::new();
    let path = folder.path("none.db");
    let ended = run(&["inbox", "list", "--database", &path]).is(3);
    assert!(ended.stderr.contains("there is no file"), "{ended:?}");
    assert!(folder.names("").is_empty());
    assert!(run(&["inbox", "list"]).is(2).stderr.contains("PIERRE_WEBHOOK_DATABASE"));

    let (path, _) = inbox(&folder);
    let mut command = without_secret(&["inbox", "list"]);
    command.env("PIERRE_WEBHOOK_DATABASE", &path);
    Running::start(command).end().is(0);
    // Nobody listens there.
    let mut command = without_secret(&["inbox", "list"]);
    command.env("PIERRE_WEBHOOK_DATABASE", "postgres://user:hunter2@127.0.0.1:1/webhooks");
    let ended = Running::start(command).end().is(3);
    assert!(ended.stderr.contains("the inbox could not be opened"), "{ended:?}");
    assert!(!format!("{ended:?}").contains("hunter2"));
}
