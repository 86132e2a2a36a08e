//! Any headers: parsing never panics and agrees with the oracle, in whatever order they come, and what it
//! accepts is accepted again if it is written anew.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pierre_webhook_core::DeliveryHeaders;
use pierre_webhook_fuzz::{
    fields::{Fields, Pair},
    menu,
    oracle::{Head, Signature},
};

fuzz_target!(|input: &[u8]| {
    let mut pairs = Fields::new(input).pairs(|value| value.expand(menu::VALUES));
    let answer = check(&pairs);
    pairs.reverse();
    assert_eq!(check(&pairs), answer);

    let Ok((event_type, signature)) = answer else { return };
    for timestamp in [&*signature.timestamp_text, &signature.timestamp.to_string()] {
        let mut value = format!("t={timestamp}");
        signature.sha256.iter().for_each(|mac| value += &format!(",sha256={mac}"));
        let rebuilt = [
            (b"x-pierre-signature".to_vec(), value.into_bytes()),
            (b"x-pierre-event".to_vec(), event_type.clone().into()),
        ];
        let rebuilt = check(&rebuilt).expect("it was accepted");
        assert_eq!((&rebuilt.0, &rebuilt.1.sha256), (&event_type, &signature.sha256));
    }
});

/// What the oracle says, once core has said the same.
fn check(pairs: &[Pair]) -> Result<(String, Signature), String> {
    let borrowed = || pairs.iter().map(|(name, value)| (name, value));
    let event_type = DeliveryHeaders::parse_event_type(borrowed()).map(str::to_owned);
    assert_eq!(event_type.map_err(|error| error.to_string()), Head::event_type(pairs));
    let expected = Head::read(pairs);
    match (&expected, DeliveryHeaders::parse(borrowed())) {
        (Ok(head), Ok(headers)) => {
            assert_eq!(headers.event_type(), head.event_type);
            assert_eq!(headers.timestamp(), head.signature.timestamp);
            assert!(headers.signature().sha256().eq(&head.signature.sha256));
        }
        (Err(rejection), Err(error)) => assert_eq!(*rejection, error.to_string()),
        (expected, parsed) => panic!("{parsed:?}, expected {expected:?}"),
    }
    expected.map(|head| (head.event_type, head.signature))
}
