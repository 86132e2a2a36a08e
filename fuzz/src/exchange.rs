//! A request to the tower service, and what must come back: the input of the target `http`.

use bytes::Buf;
use http_body_util::LengthLimitError;
use libfuzzer_sys::arbitrary::{self, Arbitrary, Unstructured};

use crate::{
    delivery::Delivery,
    fields::Fields,
    oracle::{self, Head, Verdict},
    script::steps,
    scripted::Step,
};

#[derive(Debug)]
pub struct Exchange {
    /// How the verifier is looked up: `P` pending, `N` none, `F` failed, anything else found.
    pub look_up: Vec<u8>,
    /// What the inner service does: `R` not ready at first, `P` pending, `F` failed. With `O`, rejections are
    /// answered with a response of our own.
    pub inner: Vec<u8>,
    /// The frames of the body.
    pub frames: Vec<u8>,
    pub delivery: Delivery,
}

/// What must come of an exchange.
pub struct Expected {
    pub verdict: Verdict,
    pub look_ups: usize,
    /// How often the body must be polled: not once more than it takes to decide.
    pub polls: usize,
    /// What arrived of the body.
    pub body: Vec<u8>,
}

impl Exchange {
    pub fn expected(&self) -> Expected {
        let verdict = Verdict::rejected(String::new());
        let mut expected = Expected { verdict, look_ups: 0, polls: 0, body: Vec::new() };
        [expected.verdict] = match self.authentic(&mut expected) {
            Ok(head) => oracle::read([&head.event_type], &expected.body),
            Err(rejection) => [Verdict::rejected(rejection)],
        };
        expected
    }

    fn authentic(&self, expected: &mut Expected) -> Result<Head, String> {
        let settings = &self.delivery.settings;
        let head = Head::read(&self.delivery.headers)?;
        expected.look_ups = 1;
        match self.look_up.iter().find(|step| b"NF".contains(step)) {
            Some(b'N') => return Err(oracle::INVALID_SIGNATURE.into()),
            Some(_) => return Err(oracle::UNAVAILABLE.into()),
            None => settings.check_head(&head)?,
        }
        for step in steps(&self.frames, &self.delivery.body) {
            expected.polls += 1;
            match step {
                Step::Waits | Step::Trailers => {}
                Step::Fails(error) if error.is::<LengthLimitError>() => {
                    return Err(oracle::TOO_LARGE_FOR_SERVER.into());
                }
                Step::Fails(_) => return Err(oracle::UNREADABLE.into()),
                Step::Data(data) if data.has_remaining() && data.chunk().is_empty() => {
                    return Err(oracle::UNREADABLE.into());
                }
                Step::Data(mut data) => expected.body.extend(data.copy_to_bytes(data.remaining())),
            }
            settings.check_length(expected.body.len())?;
        }
        expected.polls += 1;
        settings.authenticate(&head.signature, &expected.body)?;
        Ok(head)
    }
}

impl<'a> Arbitrary<'a> for Exchange {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let mut fields = Fields::new(u.bytes(u.len())?);
        let [look_up, inner, frames] = std::array::from_fn(|_| fields.field().text());
        let mut delivery = Delivery::read(fields);
        // A server lets no other header through.
        delivery.headers.retain(|(name, value)| {
            http::HeaderName::from_bytes(name).is_ok()
                && http::HeaderValue::from_bytes(value).is_ok()
        });
        Ok(Self { look_up, inner, frames, delivery })
    }
}
