use serde_json::{Value, json};

use super::*;
use crate::event::{PushEvent, RepoSyncFailedEvent, RepoSyncStartedEvent, SyncFailure};

fn push() -> Value {
    json!({
        "repository": {"id": "r", "url": "u"}, "ref": "refs/heads/main", "before": "a", "after": "b",
        "customer_id": "c", "pushed_at": "2024-01-20T10:30:00Z",
    })
}

fn started() -> Value {
    json!({
        "type": "repo.sync.started", "repository": {"id": "r", "url": "u"}, "run_count": 1,
        "is_first_sync": true, "started_at": "2026-03-17T10:00:00Z",
    })
}

fn with(mut payload: Value, member: &str, value: Value) -> String {
    payload[member] = value;
    payload.to_string()
}

fn read(event_type: &str, body: impl Into<Bytes>) -> Result<Event, Error> {
    Event::from_json(event_type, body.into())
}

fn wrong_field(result: Result<Event, Error>) -> String {
    match result {
        Err(Error::InvalidPayload { field, .. }) => field,
        other => panic!("not an invalid payload: {other:?}"),
    }
}

fn mismatch(header: &str, body: &str) -> Result<Event, Error> {
    Err(Error::EventTypeMismatch { header: header.into(), body: body.into() })
}

#[test]
fn an_invalid_event_type_is_rejected() {
    for event_type in ["", " push", "push ", "a,b", "é"] {
        assert_eq!(read(event_type, "{}"), Err(Error::MissingEventHeader), "{event_type:?}");
    }
}

#[test]
fn json_is_checked_before_any_field_and_the_error_says_where_it_breaks() {
    let at = |line, column| Err(Error::InvalidJson { line, column });
    for event_type in ["push", "repo.sync.failed", "ping"] {
        assert_eq!(read(event_type, "{\"ref\":7,\n \"type\":\"a\",]"), at(2, 13), "{event_type}");
        assert_eq!(read(event_type, ""), at(1, 0), "{event_type}");
        assert_eq!(read(event_type, "{} {"), at(1, 4), "{event_type}");
        assert_eq!(read(event_type, &b"{\n\"a\":\"\xff\"}"[..]), at(2, 6), "{event_type}");
    }
    assert_eq!(read("ping", r#"{"type":"push"} x"#), at(1, 17), "rule 6 before 7a");
}

#[test]
fn a_control_character_in_a_name_or_a_text_is_not_json() {
    for body in ["{\"a\nb\":1}", "{\"a\":\"\u{1}\"}", "\"\t\""] {
        for event_type in ["push", "ping"] {
            assert!(matches!(read(event_type, body), Err(Error::InvalidJson { .. })), "{body:?}");
        }
    }
}

#[test]
fn an_unknown_event_may_be_any_json_value() {
    let deep = format!("{}1{}", "[".repeat(200_000), "]".repeat(200_000));
    let deep_member = format!(r#"{{"type":{deep},"x":{deep}}}"#);
    for body in [
        "null",
        "1e999",
        " [1] ",
        r#""\ud800""#,
        r#"{"\ud800":1}"#,
        r#"{"type":1e999}"#,
        r#"{"type":"\udc00"}"#,
        r#"{"type":"branch.created"}"#,
        r#"{"data":{"type":"push"}}"#,
        r#"[{"type":"push"}]"#,
        r#"{"Type":"push","type":["push"]}"#,
        &deep,
        &deep_member,
    ] {
        let event = read("branch.created", body.to_owned());
        let Ok(Event::Unknown(event)) = event else { panic!("{}: {event:?}", &body[..10]) };
        assert_eq!((&*event.event_type, &*event.payload), ("branch.created", body.as_bytes()));
    }
}

#[test]
fn a_known_event_under_an_unknown_header_is_a_mismatch() {
    for body in [
        r#"{"type":"push"}"#,
        r#" {"a":{},"type":"push"}"#,
        r#"{"type":"x","type":"push"}"#,
        r#"{"type":"push","type":"x"}"#,
        r#"{"ty\u0070e":"\u0070ush"}"#,
        r#"{"type":5,"type":"push"}"#,
        r#"{"\ud800":"","type":"push"}"#,
    ] {
        assert_eq!(read("ping", body), mismatch("ping", "push"), "{body}");
        assert_eq!(read("Push", body), mismatch("Push", "push"), "{body}");
    }
}

#[test]
fn another_event_type_under_a_known_header_is_a_mismatch_whatever_else_is_wrong() {
    for body in ["repo.sync.started", "Push", "x", "\"", &"x".repeat(128)] {
        assert_eq!(read("push", with(push(), "type", body.into())), mismatch("push", body));
        assert_eq!(read("push", with(json!({}), "type", body.into())), mismatch("push", body));
    }
    assert_eq!(
        read("repo.sync.started", with(push(), "type", "push".into())),
        mismatch("repo.sync.started", "push")
    );
}

#[test]
fn a_type_that_is_not_an_event_type_is_a_wrong_field() {
    for value in
        [json!(5), json!(""), json!("a b"), json!("a,b"), json!("x".repeat(129)), json!(["push"])]
    {
        assert_eq!(wrong_field(read("push", with(push(), "type", value.clone()))), "type");
        assert_eq!(wrong_field(read("repo.sync.started", with(started(), "type", value))), "type");
    }
    assert_eq!(
        wrong_field(read("repo.sync.started", with(started(), "type", Value::Null))),
        "type"
    );
}

#[test]
fn the_error_names_the_path_of_the_wrong_field() {
    let nested = |repository: Value| read("push", with(push(), "repository", repository));
    assert_eq!(wrong_field(nested(json!({"id": 5, "url": "u"}))), "repository.id");
    assert_eq!(wrong_field(nested(json!({"url": "u"}))), "repository");
    assert_eq!(wrong_field(nested(json!(["r", "u"]))), "repository");
    assert_eq!(wrong_field(nested(Value::Null)), "repository");
    assert_eq!(wrong_field(read("push", with(push(), "ref", json!([[[]]])))), "ref");
    assert_eq!(
        wrong_field(read("push", with(push(), "pushed_at", json!("yesterday")))),
        "pushed_at"
    );
    for body in ["{}", "null", "5", "\"x\"", "[]"] {
        assert_eq!(wrong_field(read("push", body)), ".", "{body}");
    }
}

#[test]
fn a_known_field_given_twice_is_rejected_whatever_its_spelling() {
    let text = push().to_string();
    for member in [
        r#""ref":"x""#,
        r#""r\u0065f":"x""#,
        r#""type":"push","type":"push""#,
        r#""org":null,"org":null"#,
    ] {
        assert_eq!(
            wrong_field(read("push", format!("{{{member},{}", &text[1..]))),
            ".",
            "{member}"
        );
    }
    let body = text.replace(r#""id":"r""#, r#""id":"r","\u0069d":"r""#);
    assert_eq!(wrong_field(read("push", body)), "repository");
    let body = format!(r#"{{"x":1,"x":2,{}"#, &text[1..]);
    assert!(matches!(read("push", body), Ok(Event::Push(_))));
}

#[test]
fn deep_values_in_fields_that_nobody_reads_pass() {
    let deep = format!("{}{}", "[{\"a\":".repeat(100_000) + "1", "}]".repeat(100_000));
    let body = format!(r#"{{"x":{deep},{}"#, &push().to_string()[1..]);
    assert!(matches!(read("push", body), Ok(Event::Push(_))));
    let body = format!(r#"{{"ref":{deep}}}"#);
    assert_eq!(wrong_field(read("push", body)), "ref");
}

#[test]
fn run_count_is_decimal_digits_up_to_64_bits() {
    let count = |text: &str| {
        let body =
            started().to_string().replace(r#""run_count":1"#, &format!(r#""run_count":{text}"#));
        match read("repo.sync.started", body) {
            Ok(Event::RepoSyncStarted(event)) => Ok(event.run_count),
            other => Err(wrong_field(other)),
        }
    };
    assert_eq!(count("0"), Ok(0));
    assert_eq!(count("18446744073709551615"), Ok(u64::MAX));
    for text in ["18446744073709551616", "1.0", "1e3", "-0", "-1", "null", "\"1\"", "true", "1e999"]
    {
        assert_eq!(count(text), Err("run_count".to_owned()), "{text}");
    }
}

#[test]
fn an_absent_run_count_is_zero_only_in_started() {
    let mut body = started();
    body.as_object_mut().unwrap().remove("run_count");
    let Ok(Event::RepoSyncStarted(event)) = read("repo.sync.started", body.to_string()) else {
        panic!()
    };
    assert_eq!(event.run_count, 0);
    for event_type in ["repo.sync.succeeded", "repo.sync.failed"] {
        body["type"] = event_type.into();
        body["completed_at"] = "2026-03-17T10:00:00Z".into();
        body["error"] = "".into();
        assert_eq!(wrong_field(read(event_type, body.to_string())), ".");
    }
}

#[test]
fn times_are_rfc_3339_with_an_offset() {
    let pushed_at = |text: &str| read("push", with(push(), "pushed_at", text.into()));
    for text in [
        "2024-01-20T10:30:00Z",
        "2024-01-20t10:30:00z",
        "2024-01-20T10:30:00.000Z",
        "2024-01-20T12:30:00+02:00",
        "2024-01-20T10:30:00.000000000-00:00",
        "2024-01-21T10:29:00+23:59",
    ] {
        let Ok(Event::Push(push)) = pushed_at(text) else { panic!("{text}") };
        assert_eq!(push.pushed_at.to_string(), "2024-01-20T10:30:00Z", "{text}");
    }
    for text in [
        "",
        "2024-01-20",
        "2024-01-20T10:30:00",
        "2024-02-30T10:30:00Z",
        "2024-01-20T24:00:00Z",
        " 2024-01-20T10:30:00Z",
        "2024-01-20T10:30:00Z ",
        "1705746600",
        "2024-01-20T10:30:00Z[UTC]",
        "2024-01-20T10:30:00+01:00[Europe/Paris]",
        "2024-01-20T10:30:00+02:00:30",
        "2024-01-20T10:30:00+24:00",
        "2024-01-20T10:30:00-25:59",
        "2024-01-20T10:30:00+00:60",
        &format!("2024-01-20T10:30:00.{}Z", "1".repeat(1000)),
    ] {
        assert_eq!(wrong_field(pushed_at(text)), "pushed_at", "{text}");
    }
}

#[test]
fn from_json_reads_what_serialize_writes() {
    let mut failed = started();
    failed["type"] = "repo.sync.failed".into();
    failed["completed_at"] = "2026-03-17T10:02:30Z".into();
    failed["error"] = "internal error".into();
    let failed: RepoSyncFailedEvent = serde_json::from_value(failed).unwrap();
    assert_eq!(failed.error, SyncFailure::InternalError);
    assert_eq!(
        read("repo.sync.failed", serde_json::to_vec(&failed).unwrap()),
        Ok(Event::RepoSyncFailed(failed))
    );

    let push: PushEvent = serde_json::from_value(push()).unwrap();
    let json = serde_json::to_value(&push).unwrap();
    assert_eq!(json["type"], "push");
    assert_eq!(json.get("org"), None);
    assert_eq!(read("push", json.to_string()), Ok(Event::Push(push)));

    let started: RepoSyncStartedEvent = serde_json::from_value(started()).unwrap();
    assert_eq!(
        read("repo.sync.started", serde_json::to_vec(&started).unwrap()),
        Ok(Event::RepoSyncStarted(started))
    );
}

#[test]
fn an_event_returns_its_type_and_repository() {
    for event_type in ["push", "repo.sync.started", "repo.sync.succeeded", "repo.sync.failed"] {
        let mut body = started();
        body["type"] = event_type.into();
        body["completed_at"] = "2026-03-17T10:00:00Z".into();
        body["error"] = "".into();
        for (member, value) in push().as_object().unwrap() {
            body[member] = value.clone();
        }
        let event = read(event_type, body.to_string()).unwrap();
        assert_eq!(event.event_type(), event_type);
        assert_eq!(event.repository().unwrap().id, "r");
        assert!(format!("{event:?}").contains(&format!("event_type: {event_type:?}")));
    }
    let event = read("ping", "{}").unwrap();
    assert_eq!((event.event_type(), event.repository()), ("ping", None));
}
