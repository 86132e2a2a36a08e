//! Payloads that do not fit their event, each rightly signed: the event header is not.

use serde_json::{Value, json};

use super::{Case, case};
use crate::{
    attack::maker::{Maker, Request},
    send::Known,
};

pub(super) const CASES: &[Case] = &[
    case(
        "relabelled-failed-as-succeeded",
        "a failed sync under the header of one that succeeded",
        |maker| Some(maker.request("repo.sync.succeeded", maker.body(Known::SyncFailed))),
    ),
    case("relabelled-sync-as-push", "a sync under the header of a push", |maker| {
        Some(maker.request("push", maker.body(Known::SyncStarted)))
    }),
    case("relabelled-push-as-sync", "a push under the header of a sync", |maker| {
        Some(maker.request("repo.sync.started", maker.body(Known::Push)))
    }),
    case(
        "relabelled-as-unknown",
        "a failed sync under the header of an event that is not known",
        |maker| Some(maker.request("repo.deleted", maker.body(Known::SyncFailed))),
    ),
    case("relabelled-twice-in-unknown", "two types in an event that is not known", |maker| {
        Some(maker.request("repo.deleted", r#"{"type":"repo.deleted","type":"push"}"#))
    }),
    case("type-number", "a type that is a number", |maker| {
        with(maker, Known::SyncStarted, "type", json!(5))
    }),
    case("push-null", "null for a push", |maker| Some(maker.request("push", "null"))),
    case("push-array", "an array for a push", |maker| Some(maker.request("push", "[]"))),
    case("push-text", "a text for a push", |maker| Some(maker.request("push", r#""push""#))),
    case("push-without-ref", "a push without ref", |maker| without(maker, Known::Push, "ref")),
    case("push-without-repository", "a push without repository", |maker| {
        without(maker, Known::Push, "repository")
    }),
    case("push-null-before", "a push whose before is null", |maker| {
        with(maker, Known::Push, "before", Value::Null)
    }),
    case("push-number-after", "a push whose after is a number", |maker| {
        with(maker, Known::Push, "after", json!(1))
    }),
    case("push-null-time", "a push whose pushed_at is null", |maker| {
        with(maker, Known::Push, "pushed_at", Value::Null)
    }),
    case("push-time-in-words", "a push whose pushed_at is no time", |maker| {
        with(maker, Known::Push, "pushed_at", json!("yesterday"))
    }),
    case("push-repository-array", "a push whose repository is an array", |maker| {
        with(maker, Known::Push, "repository", json!(["id", "url"]))
    }),
    case("push-repository-without-id", "a push whose repository has no id", |maker| {
        with(maker, Known::Push, "repository", json!({"url": "team/project-alpha"}))
    }),
    case("push-ref-twice", "a push with two refs", |maker| {
        let push = String::from_utf8(maker.body(Known::Push)).ok()?;
        Some(maker.request("push", push.replacen('{', r#"{"ref":"refs/heads/other","#, 1)))
    }),
    case("push-ref-twice-escaped", "a push with two refs, one of them in escapes", |maker| {
        let push = String::from_utf8(maker.body(Known::Push)).ok()?;
        Some(maker.request("push", push.replacen('{', r#"{"\u0072ef":"refs/heads/other","#, 1)))
    }),
    case("sync-without-run-count", "a finished sync without run_count", |maker| {
        without(maker, Known::SyncSucceeded, "run_count")
    }),
    case("sync-run-count-fraction", "a run_count of 1.0", |maker| {
        with(maker, Known::SyncStarted, "run_count", json!(1.0))
    }),
    case("sync-run-count-negative", "a run_count below 0", |maker| {
        with(maker, Known::SyncStarted, "run_count", json!(-1))
    }),
    case("sync-first-sync-text", "an is_first_sync that is a text", |maker| {
        with(maker, Known::SyncStarted, "is_first_sync", json!("true"))
    }),
    case("sync-failed-without-error", "a failed sync without an error", |maker| {
        without(maker, Known::SyncFailed, "error")
    }),
    case("sync-succeeded-without-end", "a finished sync without completed_at", |maker| {
        without(maker, Known::SyncSucceeded, "completed_at")
    }),
];

fn with(maker: &Maker, event: Known, field: &str, value: Value) -> Option<Request> {
    let mut payload: Value = serde_json::from_slice(&maker.body(event)).ok()?;
    payload.as_object_mut()?.insert(field.to_owned(), value);
    Some(maker.request(event.event_type(), payload.to_string()))
}

fn without(maker: &Maker, event: Known, field: &str) -> Option<Request> {
    let mut payload: Value = serde_json::from_slice(&maker.body(event)).ok()?;
    payload.as_object_mut()?.remove(field)?;
    Some(maker.request(event.event_type(), payload.to_string()))
}
