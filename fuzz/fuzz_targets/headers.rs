//! Any headers: parsing never panics, and what it accepts is accepted again, written anew.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pierre_webhook_core::{DeliveryHeaders, EVENT_HEADER, Error, SIGNATURE_HEADER, Signature};
use pierre_webhook_fuzz::pairs::{Pair, Pairs};

fuzz_target!(|input: Pairs| {
    let parsed = parse(&input.pairs);
    let event_type = DeliveryHeaders::parse_event_type(borrowed(&input.pairs));

    // The order of the headers is no matter.
    let mut reversed = input.pairs.clone();
    reversed.reverse();
    assert_eq!(answer(&parse(&reversed)), answer(&parsed));

    let headers = match &parsed {
        Ok(headers) => headers,
        // It is judged before the event header is looked at.
        Err(Error::MissingSignatureHeader) => return,
        Err(error @ Error::MissingEventHeader) => {
            return assert_eq!(event_type.as_ref(), Err(error));
        }
        Err(_) => return assert!(event_type.is_ok()),
    };
    assert_eq!(event_type, Ok(headers.event_type()));
    let signature = headers.signature();
    let sha256: Vec<&str> = signature.sha256().collect();
    assert!((1..=8).contains(&sha256.len()) && sha256.iter().all(|value| !value.is_empty()));
    assert!(i64::try_from(headers.timestamp()).is_ok());

    let value = value_of_signature(&input.pairs);
    assert_eq!(content(&Signature::parse(value)), content(&Ok(signature.clone())));
    let spelled = timestamp_text(value);
    for timestamp in [spelled, headers.timestamp().to_string()] {
        let mut rebuilt = format!("t={timestamp}");
        sha256.iter().for_each(|value| rebuilt.extend([",sha256=", value]));
        let rebuilt = [
            (SIGNATURE_HEADER.into(), rebuilt.into_bytes()),
            (EVENT_HEADER.into(), headers.event_type().into()),
        ];
        assert_eq!(answer(&parse(&rebuilt)), answer(&parsed));
    }
});

fn parse(pairs: &[Pair]) -> Result<DeliveryHeaders<'_>, Error> {
    DeliveryHeaders::parse(borrowed(pairs))
}

fn borrowed(pairs: &[Pair]) -> impl Iterator<Item = (&[u8], &Vec<u8>)> {
    pairs.iter().map(|(name, value)| (&**name, value))
}

type Content<'a> = Result<(u64, Vec<&'a str>), &'a Error>;

fn answer<'a>(
    parsed: &'a Result<DeliveryHeaders<'_>, Error>,
) -> Result<(&'a str, Content<'a>), &'a Error> {
    let headers = parsed.as_ref()?;
    let signature = headers.signature();
    Ok((headers.event_type(), Ok((signature.timestamp(), signature.sha256().collect()))))
}

fn content<'a>(parsed: &'a Result<Signature<'_>, Error>) -> Content<'a> {
    parsed.as_ref().map(|signature| (signature.timestamp(), signature.sha256().collect()))
}

fn value_of_signature(pairs: &[Pair]) -> &[u8] {
    let is_signature = |name: &[u8]| name.eq_ignore_ascii_case(SIGNATURE_HEADER.as_bytes());
    let mut values = pairs.iter().filter(|(name, _)| is_signature(name)).map(|(_, value)| value);
    values.next().expect("it was accepted")
}

/// The timestamp as it is spelled.
fn timestamp_text(value: &[u8]) -> String {
    let value = std::str::from_utf8(value).expect("it was accepted");
    let mut elements = value.split(',').map(|element| element.trim_matches([' ', '\t']));
    elements.find_map(|element| element.strip_prefix("t=")).expect("it was accepted").to_owned()
}
