//! Any bytes, correctly signed, through every event type: whole, in chunks and read alone they give the same
//! answer, and what is written of an event is read back.

#![no_main]

use std::sync::LazyLock;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use pierre_webhook_core::{
    Delivery, DeliveryHeaders, EVENT_HEADER, Error, Event, SIGNATURE_HEADER, Secret, Verifier,
};
use pierre_webhook_fuzz::signed_body::SignedBody;
use serde_json::value::RawValue;

static SECRET: LazyLock<Secret> =
    LazyLock::new(|| Secret::new("whsec_k3yForDocsOnly_2f6c").expect("it is not blank"));
static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| Verifier::new(SECRET.clone()).any_age());

fuzz_target!(|input: SignedBody| {
    let body = Bytes::copy_from_slice(&input.body);
    let signature = SECRET.sign(1_790_000_000, &body);
    assert_eq!(VERIFIER.verify_signature(&signature, &body), Ok(1_790_000_000));

    for event_type in
        ["push", "repo.sync.started", "repo.sync.succeeded", "repo.sync.failed", "ping"]
    {
        let headers =
            DeliveryHeaders::parse([(SIGNATURE_HEADER, &*signature), (EVENT_HEADER, event_type)])
                .expect("they are a delivery's");
        let whole = VERIFIER.verify(&headers, body.clone());
        assert_eq!(in_chunks(&headers, &input), whole);

        let alone = Event::from_json(event_type, body.clone());
        assert_eq!(alone.as_ref(), whole.as_ref().map(|delivery| &delivery.event));
        match &alone {
            Ok(event) => {
                assert_eq!(event.event_type(), event_type);
                read_back(event, &body);
            }
            Err(error) => assert!(matches!(
                error,
                Error::InvalidJson { .. }
                    | Error::EventTypeMismatch { .. }
                    | Error::InvalidPayload { .. }
            )),
        }
    }
});

fn in_chunks(headers: &DeliveryHeaders<'_>, input: &SignedBody) -> Result<Delivery, Error> {
    let mut pending = VERIFIER.begin(headers)?;
    for chunk in input.chunks.split(&input.body) {
        pending.push(chunk)?;
    }
    pending.finish()
}

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
