use super::*;
use crate::{error::Error, event::Event, test_clock::TestClock};

#[test]
fn the_documented_events_are_sent_as_the_guide_shows_them() {
    let repository =
        r#""repository":{"id":"repo_01HZXE4K6YZ1Q2ABCD3EFG45H6","url":"team/project-alpha""#;
    let push = TestDelivery::push().with(|push| {
        push.before = "…".into();
        push.after = "…".into();
    });
    let started = r#""is_first_sync":true,"started_at":"2026-03-17T10:00:00Z""#;
    let completed = r#""completed_at":"2026-03-17T10:02:30Z""#;
    for (body, expected) in [
        (
            push.body(),
            format!(
                r#"{{{repository},"repo_name":"owner/repo"}},"org":"acme","ref":"refs/heads/main","before":"…","after":"…","customer_id":"your-customer-id","pushed_at":"2024-01-20T10:30:00Z"}}"#
            ),
        ),
        (
            TestDelivery::sync_started().body(),
            format!(r#"{{"type":"repo.sync.started",{repository}}},"run_count":0,{started}}}"#),
        ),
        (
            TestDelivery::sync_succeeded().body(),
            format!(
                r#"{{"type":"repo.sync.succeeded",{repository}}},"run_count":1,{started},{completed}}}"#
            ),
        ),
        (
            TestDelivery::sync_failed().body(),
            format!(
                r#"{{"type":"repo.sync.failed",{repository}}},"run_count":1,{started},{completed},"error":"authentication failed"}}"#
            ),
        ),
    ] {
        assert_eq!(String::from_utf8_lossy(&body), expected);
    }
}

#[test]
fn each_event_is_delivered_as_it_was_made() {
    assert_eq!(TestDelivery::push().delivery().event, Event::Push(example::push()));
    assert_eq!(
        TestDelivery::sync_started().delivery().event,
        Event::RepoSyncStarted(example::sync_started())
    );
    assert_eq!(
        TestDelivery::sync_succeeded().delivery().event,
        Event::RepoSyncSucceeded(example::sync_succeeded())
    );
    assert_eq!(
        TestDelivery::sync_failed().delivery().event,
        Event::RepoSyncFailed(example::sync_failed())
    );
    let unknown = TestDelivery::new("ping", "[1]").signed_at(7).delivery();
    assert_eq!((unknown.event_type(), &*unknown.body, unknown.signed_at), ("ping", &b"[1]"[..], 7));
}

#[test]
fn every_field_of_a_push_is_sent() {
    let changed = |push: &mut PushEvent| {
        push.repository.id = "i".into();
        push.repository.url = "u".into();
        push.repository.repo_name = None;
        push.org = None;
        push.before = "b".into();
        push.after = "a".into();
        push.customer_id = "c".into();
        push.pushed_at = jiff::Timestamp::constant(1, 5);
    };
    let delivery = TestDelivery::push().with(changed).branch("dev").delivery();
    let mut expected = example::push();
    changed(&mut expected);
    expected.git_ref = "refs/heads/dev".into();
    assert_eq!(delivery.event, Event::Push(expected));
}

#[test]
fn a_delivery_is_signed_when_the_test_says() {
    let secret = Secret::new("s").unwrap();
    let clock = TestClock::at(1_790_000_000);
    let verifier = Verifier::new(secret.clone()).clock(clock.reader());
    let verify = |request: &http::Request<Bytes>| {
        let headers = DeliveryHeaders::parse(request.headers()).unwrap();
        verifier.verify(&headers, request.body().clone()).map(|delivery| delivery.signed_at)
    };

    let request = TestDelivery::push().signed_at(clock.now()).request("/webhooks", &secret);
    assert_eq!(verify(&request), Ok(1_790_000_000));
    assert_eq!((request.method().as_str(), request.uri().path()), ("POST", "/webhooks"));
    assert_eq!(request.headers()["content-type"], "application/json");

    clock.advance(std::time::Duration::from_secs(301));
    assert_eq!(verify(&request), Err(Error::TimestampTooOld { age: 301 }));

    let another = Secret::new("another").unwrap();
    let forged = TestDelivery::push().signed_at(clock.now()).request("/webhooks", &another);
    assert_eq!(verify(&forged), Err(Error::InvalidSignature));
}

#[test]
fn a_delivery_is_signed_now_unless_the_test_says_otherwise() {
    let secret = Secret::new("s").unwrap();
    let headers = TestDelivery::push().headers(&secret);
    let body = TestDelivery::push().body();
    let signed_at = Verifier::new(secret).verify_signature(&headers[1].1, &body);
    assert!(signed_at.is_ok_and(|time| time > 1_700_000_000));
}

#[test]
#[should_panic = "not a test delivery: Invalid JSON payload"]
fn a_body_that_no_handler_would_get_is_not_a_delivery() {
    TestDelivery::new("ping", "{").delivery();
}

#[test]
#[should_panic = "not a test delivery: Event type mismatch: header says push, body says repo.sync.failed"]
fn a_relabeled_body_is_not_a_delivery() {
    TestDelivery::new("push", TestDelivery::sync_failed().body()).delivery();
}

#[test]
#[should_panic = "not a test delivery: invalid uri character"]
fn a_text_that_is_not_a_uri_has_no_request() {
    TestDelivery::push().request("not a uri", &Secret::new("s").unwrap());
}
