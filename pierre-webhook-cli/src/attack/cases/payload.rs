//! Payloads that don't fit the event header, each correctly signed. The signature doesn't cover that header.

use serde_json::{Value, json};

use crate::{
    attack::{case::Case, raw_request::RawRequest, request_maker::RequestMaker},
    payload::KnownEvent,
};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "relabeled-failed-as-succeeded",
        "a failed sync under the header of a successful one",
        |maker| Some(maker.request("repo.sync.succeeded", maker.body(KnownEvent::SyncFailed))),
    ),
    Case::new("relabeled-sync-as-push", "a sync under the header of a push", |maker| {
        Some(maker.request("push", maker.body(KnownEvent::SyncStarted)))
    }),
    Case::new("relabeled-push-as-sync", "a push under the header of a sync", |maker| {
        Some(maker.request("repo.sync.started", maker.body(KnownEvent::Push)))
    }),
    Case::new(
        "relabeled-as-unknown",
        "a failed sync under the header of an unknown event",
        |maker| Some(maker.request("repo.deleted", maker.body(KnownEvent::SyncFailed))),
    ),
    Case::new("relabeled-twice-in-unknown", "two types in an unknown event", |maker| {
        Some(maker.request("repo.deleted", r#"{"type":"repo.deleted","type":"push"}"#))
    }),
    Case::new("type-number", "a type that is a number", |maker| {
        with(maker, KnownEvent::SyncStarted, "type", json!(5))
    }),
    Case::new("push-null", "null instead of a push", |maker| Some(maker.request("push", "null"))),
    Case::new("push-array", "an array instead of a push", |maker| {
        Some(maker.request("push", "[]"))
    }),
    Case::new("push-text", "a string instead of a push", |maker| {
        Some(maker.request("push", r#""push""#))
    }),
    Case::new("push-without-ref", "a push without ref", |maker| {
        without(maker, KnownEvent::Push, "ref")
    }),
    Case::new("push-without-repository", "a push without repository", |maker| {
        without(maker, KnownEvent::Push, "repository")
    }),
    Case::new("push-null-before", "a push whose before is null", |maker| {
        with(maker, KnownEvent::Push, "before", Value::Null)
    }),
    Case::new("push-number-after", "a push whose after is a number", |maker| {
        with(maker, KnownEvent::Push, "after", json!(1))
    }),
    Case::new("push-null-time", "a push whose pushed_at is null", |maker| {
        with(maker, KnownEvent::Push, "pushed_at", Value::Null)
    }),
    Case::new("push-time-in-words", "a push whose pushed_at is not a time", |maker| {
        with(maker, KnownEvent::Push, "pushed_at", json!("yesterday"))
    }),
    Case::new("push-repository-array", "a push whose repository is an array", |maker| {
        with(maker, KnownEvent::Push, "repository", json!(["id", "url"]))
    }),
    Case::new("push-repository-without-id", "a push whose repository has no id", |maker| {
        with(maker, KnownEvent::Push, "repository", json!({"url": "team/project-alpha"}))
    }),
    Case::new("push-ref-twice", "a push with two refs", |maker| {
        let push = String::from_utf8(maker.body(KnownEvent::Push)).ok()?;
        Some(maker.request("push", push.replacen('{', r#"{"ref":"refs/heads/other","#, 1)))
    }),
    Case::new(
        "push-ref-twice-escaped",
        "a push with two refs, one of them spelled with an escape",
        |maker| {
            let push = String::from_utf8(maker.body(KnownEvent::Push)).ok()?;
            Some(maker.request("push", push.replacen('{', r#"{"\u0072ef":"refs/heads/other","#, 1)))
        },
    ),
    Case::new("sync-without-run-count", "a finished sync without run_count", |maker| {
        without(maker, KnownEvent::SyncSucceeded, "run_count")
    }),
    Case::new("sync-run-count-fraction", "a run_count of 1.0", |maker| {
        with(maker, KnownEvent::SyncStarted, "run_count", json!(1.0))
    }),
    Case::new("sync-run-count-negative", "a run_count below 0", |maker| {
        with(maker, KnownEvent::SyncStarted, "run_count", json!(-1))
    }),
    Case::new("sync-first-sync-text", "an is_first_sync that is a string", |maker| {
        with(maker, KnownEvent::SyncStarted, "is_first_sync", json!("true"))
    }),
    Case::new("sync-failed-without-error", "a failed sync without an error", |maker| {
        without(maker, KnownEvent::SyncFailed, "error")
    }),
    Case::new("sync-succeeded-without-end", "a finished sync without completed_at", |maker| {
        without(maker, KnownEvent::SyncSucceeded, "completed_at")
    }),
];

fn with(maker: &RequestMaker, event: KnownEvent, field: &str, value: Value) -> Option<RawRequest> {
    let mut payload: Value = serde_json::from_slice(&maker.body(event)).ok()?;
    payload.as_object_mut()?.insert(field.to_owned(), value);
    Some(maker.request(event.event_type(), payload.to_string()))
}

fn without(maker: &RequestMaker, event: KnownEvent, field: &str) -> Option<RawRequest> {
    let mut payload: Value = serde_json::from_slice(&maker.body(event)).ok()?;
    payload.as_object_mut()?.remove(field)?;
    Some(maker.request(event.event_type(), payload.to_string()))
}
