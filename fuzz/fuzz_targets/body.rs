//! Any bytes, correctly signed, through every event type: whole, in chunks and read alone they give the
//! oracle's answer, and what is written of an event is read back.

#![no_main]

use std::sync::LazyLock;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use pierre_webhook_core::{
    DeliveryHeaders, EVENT_HEADER, Event, SIGNATURE_HEADER, Secret, Verifier,
};
use pierre_webhook_fuzz::{fields::Fields, menu, observed, oracle, script::chunks};
use serde_json::value::RawValue;

const EVENT_TYPES: [&str; 5] =
    ["push", "repo.sync.started", "repo.sync.succeeded", "repo.sync.failed", "ping"];

static SECRET: LazyLock<Secret> =
    LazyLock::new(|| Secret::new("whsec_k3yForDocsOnly_2f6c").expect("it is not blank"));
static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| Verifier::new(SECRET.clone()).any_age());

fuzz_target!(|input: &[u8]| {
    let mut fields = Fields::new(input);
    let sizes = fields.field().text();
    let body = Bytes::from(fields.last().expand(&menu::JSON));
    let signature = SECRET.sign(1_790_000_000, &body);
    assert_eq!(VERIFIER.verify_signature(&signature, &body), Ok(1_790_000_000));

    let verdicts = oracle::read(EVENT_TYPES, &body);
    for (event_type, verdict) in EVENT_TYPES.into_iter().zip(verdicts) {
        let headers =
            DeliveryHeaders::parse([(SIGNATURE_HEADER, &*signature), (EVENT_HEADER, event_type)])
                .expect("they are a delivery's");
        let whole = VERIFIER.verify(&headers, body.clone());
        let mut pending = VERIFIER.begin(&headers).expect("they were accepted");
        for chunk in chunks(&sizes, &body) {
            pending.push(chunk).expect("it is not large");
        }
        assert_eq!(pending.finish(), whole);

        let alone = Event::from_json(event_type, body.clone());
        assert_eq!(alone.as_ref(), whole.as_ref().map(|delivery| &delivery.event));
        observed::check(&verdict, event_type, alone.as_ref());
        if let Ok(event) = &alone {
            read_back(event, &body);
        }
    }
});

fn read_back(event: &Event, body: &Bytes) {
    let written = match event {
        Event::Push(event) => serde_json::to_vec(event),
        Event::RepoSyncStarted(event) => serde_json::to_vec(event),
        Event::RepoSyncSucceeded(event) => serde_json::to_vec(event),
        Event::RepoSyncFailed(event) => serde_json::to_vec(event),
        Event::Unknown(event) => {
            // Nothing is written of it: it is the body itself.
            assert_eq!(event.payload, body);
            assert!(event.parse_json::<&RawValue>().is_ok());
            return;
        }
        other => panic!("an event that this target does not know: {other:?}"),
    };
    let written = written.expect("every event can be written");
    assert_eq!(Event::from_json(event.event_type(), written.into()).as_ref(), Ok(event));
}
