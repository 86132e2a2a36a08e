//! Deliveries that are signed, or nearly: core, step by step, against the oracle.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pierre_webhook_core::{DeliveryHeaders, Error, Event, Verifier};
use pierre_webhook_fuzz::{
    delivery::Delivery,
    observed,
    oracle::{self, Head, Signature},
};

fuzz_target!(|input: Delivery| {
    let secrets = &input.settings.secrets;
    let are_secrets = !secrets.is_empty() && secrets.iter().all(oracle::Accepted::is_a_secret);
    let verifier = match input.verifier() {
        Ok(verifier) => verifier,
        Err(_) => return assert!(!are_secrets),
    };
    assert!(are_secrets);
    for (_, value) in &input.headers {
        verify_signature(&input, &verifier, value);
    }

    let parsed = DeliveryHeaders::parse(input.headers.iter().map(|(name, value)| (name, value)));
    let Some((head, headers)) = agreed(Head::read(&input.headers), parsed) else { return };
    assert_eq!(head.event_type, headers.event_type());
    assert_eq!(head.signature.timestamp, headers.timestamp());
    let verdict = oracle::read(&head.event_type, &input.body);
    let alone = Event::from_json(headers.event_type(), input.body());
    observed::check(&verdict, &head.event_type, alone.as_ref());

    let whole = verifier.verify(&headers, input.body());
    let settings = &input.settings;
    let expected = settings
        .check_age(head.signature.timestamp)
        .and_then(|()| settings.check_declared(&head.declared))
        .and_then(|()| head.signature.check_well_formed());
    let pending = agreed(expected, verifier.begin(&headers));
    let Some(((), mut pending)) = pending else {
        let refused = verifier.begin(&headers).map(|_| ());
        return assert_eq!(whole.map(|_| ()), refused);
    };
    let mut pushed = Ok(());
    for chunk in input.chunks.split(&input.body) {
        // Also behind an error, which has to stay.
        let result = pending.push(chunk);
        assert!(pushed.is_ok() || result == pushed);
        pushed = result;
    }
    let streamed = pending.finish();
    assert_eq!(streamed, whole);

    let secret = match oracle::authenticate(settings, &head.signature, &input.body) {
        Ok(secret) => secret,
        Err(refusal) => {
            assert_eq!(pushed.is_err(), settings.check_length(input.body.len()).is_err());
            return assert_eq!(refusal, text(whole));
        }
    };
    assert_eq!(pushed, Ok(()));
    // Once a body is authentic, the verifier reads it as `Event::from_json` does, which was checked.
    match (whole, alone) {
        (Ok(delivery), Ok(event)) => {
            assert_eq!(delivery.event, event);
            assert_eq!(delivery.body, input.body);
            assert_eq!(delivery.signed_at, head.signature.timestamp);
            assert_eq!(delivery.matched_secret, secret);
            let identity = oracle::identity(&head.event_type, &input.body);
            assert_eq!(delivery.id().to_string(), identity);
        }
        (whole, alone) => assert_eq!(whole.map(|delivery| delivery.event), alone),
    }
});

/// Both, where both accept; nothing where both refuse with one text.
fn agreed<E, C>(expected: Result<E, String>, result: Result<C, Error>) -> Option<(E, C)> {
    match (expected, result) {
        (Ok(expected), Ok(result)) => Some((expected, result)),
        (Err(refusal), Err(error)) => {
            assert_eq!(refusal, error.to_string());
            assert_eq!(oracle::status(&refusal), error.status_code());
            None
        }
        (Ok(_), Err(error)) => panic!("refused by {error:?}"),
        (Err(refusal), Ok(_)) => panic!("accepted, expected {refusal:?}"),
    }
}

fn text<T>(result: Result<T, Error>) -> String {
    match result {
        Ok(_) => "accepted".into(),
        Err(error) => {
            assert_eq!(oracle::status(&error.to_string()), error.status_code());
            error.to_string()
        }
    }
}

/// The one-shot function, which knows no rule 1 and no declared length.
fn verify_signature(input: &Delivery, verifier: &Verifier, value: &[u8]) {
    let expected = Signature::read(value).and_then(|signature| {
        input.settings.check_age(signature.timestamp)?;
        oracle::authenticate(&input.settings, &signature, &input.body)?;
        Ok(signature.timestamp)
    });
    let result = verifier.verify_signature(value, &input.body);
    if let Some((expected, timestamp)) = agreed(expected, result) {
        assert_eq!(expected, timestamp);
    }
}
