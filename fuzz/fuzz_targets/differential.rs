//! Deliveries that are signed, or nearly: core, step by step, against the oracle.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pierre_webhook_core::{Delivery, DeliveryHeaders, Error, Event};
use pierre_webhook_fuzz::{
    delivery::Delivery as Input,
    observed,
    oracle::{self, Accepted, Head, Settings, Signature},
    script::chunks,
};

fuzz_target!(|input: Input| {
    let settings = &input.settings;
    let are_secrets =
        !settings.secrets.is_empty() && settings.secrets.iter().all(Accepted::is_a_secret);
    assert_eq!(input.verifier().is_ok(), are_secrets);
    if !are_secrets {
        return;
    }
    let verifier = || input.verifier().expect("they are secrets");
    let at_once = settings.at_once();

    // The one-shot function, which knows no rule 1 and no declared length.
    for (_, value) in &input.headers {
        let expected = Signature::read(value).and_then(|signature| {
            at_once.check_age(signature.timestamp)?;
            at_once.authenticate(&signature, &input.body)?;
            Ok(signature.timestamp)
        });
        let result = verifier().verify_signature(value, &input.body);
        if let Some((expected, timestamp)) = agreed(expected, result) {
            assert_eq!(expected, timestamp);
        }
    }

    let parsed = DeliveryHeaders::parse(input.headers.iter().map(|(name, value)| (name, value)));
    let Some((head, headers)) = agreed(Head::read(&input.headers), parsed) else { return };
    assert_eq!(head.event_type, headers.event_type());
    assert_eq!(head.signature.timestamp, headers.timestamp());
    let [verdict] = oracle::read([&head.event_type], &input.body);
    let alone = Event::from_json(headers.event_type(), input.body());
    observed::check(&verdict, &head.event_type, alone.as_ref());

    let begun = settings.check_head(&head);
    let expected = |settings: &Settings| {
        begun.clone()?;
        settings.authenticate(&head.signature, &input.body)
    };
    let whole = verifier().verify(&headers, input.body());
    check(&input, &head, &alone, expected(&at_once), whole);

    // In chunks, with a second reading of the clock when the body is complete.
    let pending = agreed(begun.clone(), verifier().begin(&headers));
    let Some(((), mut pending)) = pending else { return };
    let mut pushed = Ok(());
    for chunk in chunks(&input.chunks, &input.body) {
        // Also after an error, which has to stay.
        let result = pending.push(chunk);
        assert!(pushed.is_ok() || result == pushed);
        pushed = result;
    }
    assert_eq!(pushed.is_err(), settings.check_length(input.body.len()).is_err());
    check(&input, &head, &alone, expected(settings), pending.finish());
});

/// A body that is authentic is read as `Event::from_json` does, which was checked.
fn check(
    input: &Input,
    head: &Head,
    alone: &Result<Event, Error>,
    expected: Result<usize, String>,
    result: Result<Delivery, Error>,
) {
    let secret = match expected {
        Ok(secret) => secret,
        Err(_) => return assert!(agreed(expected, result).is_none()),
    };
    assert_eq!(result.as_ref().map(|delivery| &delivery.event), alone.as_ref());
    if let Ok(delivery) = result {
        assert_eq!(delivery.body, input.body);
        assert_eq!(delivery.signed_at, head.signature.timestamp);
        assert_eq!(delivery.matched_secret, secret);
        assert_eq!(delivery.id().to_string(), oracle::identity(&head.event_type, &input.body));
    }
}

/// Both, if both accept. Nothing if both reject with one text.
fn agreed<E, C>(expected: Result<E, String>, result: Result<C, Error>) -> Option<(E, C)> {
    match (expected, result) {
        (Ok(expected), Ok(result)) => Some((expected, result)),
        (Err(rejection), Err(error)) => {
            assert_eq!(rejection, error.to_string());
            assert_eq!(oracle::status(&rejection), error.status_code());
            None
        }
        (Ok(_), Err(error)) => panic!("rejected by {error:?}"),
        (Err(rejection), Ok(_)) => panic!("accepted, expected {rejection:?}"),
    }
}
