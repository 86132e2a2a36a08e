//! A request to the tower service, and what must come back: the input of the target `http`.

use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};

use crate::{
    chunks,
    delivery::Delivery,
    fields::{FieldWriter, Fields},
    oracle::{self, Head, Refusals, Verdict},
    script::{self, Step},
};

#[derive(Debug, PartialEq)]
pub struct Exchange {
    /// How the verifier is looked up: `P` pending, `N` none, `F` failed, anything else found.
    pub look_up: Vec<u8>,
    /// How the inner service does: `R` not ready at first, `P` pending, `F` failed, `O` with a response of
    /// our own to refusals.
    pub inner: Vec<u8>,
    /// The frames of the body.
    pub frames: Vec<u8>,
    pub delivery: Delivery,
}

/// What must come of an exchange.
pub struct Expected {
    /// How far it must come. Only with a body that was read to its end is there an event.
    pub reach: Reach,
    pub verdict: Verdict,
    /// How often the body must be polled: not once more than it takes to decide.
    pub polls: usize,
    /// What arrives of it.
    pub body: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub enum Reach {
    Headers,
    LookUp,
    Body,
}

impl Exchange {
    pub fn to_input(&self) -> Vec<u8> {
        let mut writer = FieldWriter::default();
        writer.text(&self.look_up);
        writer.text(&self.inner);
        writer.text(&self.frames);
        self.delivery.write(writer)
    }

    pub fn expected(&self) -> Expected {
        let refused = |reach, refusal: String| Expected {
            reach,
            verdict: Verdict { refusals: Refusals::from([refusal]), accepted: None },
            polls: 0,
            body: Vec::new(),
        };
        let settings = &self.delivery.settings;
        let head = match Head::read(&self.delivery.headers) {
            Ok(head) => head,
            Err(refusal) => return refused(Reach::Headers, refusal),
        };
        for step in &self.look_up {
            match step {
                b'N' => return refused(Reach::LookUp, oracle::INVALID_SIGNATURE.into()),
                b'F' => return refused(Reach::LookUp, oracle::UNAVAILABLE.into()),
                _ => {}
            }
        }
        let begun = settings
            .check_age(head.signature.timestamp)
            .and_then(|()| settings.check_declared(&head.declared))
            .and_then(|()| head.signature.check_well_formed());
        if let Err(refusal) = begun {
            return refused(Reach::LookUp, refusal);
        }
        let (arrived, polls) = self.arriving();
        let verified = arrived.and_then(|body| {
            oracle::authenticate(settings, &head.signature, &body)?;
            Ok(body)
        });
        match verified {
            Ok(body) => {
                let verdict = oracle::read(&head.event_type, &body);
                Expected { reach: Reach::Body, verdict, polls, body }
            }
            Err(refusal) => Expected { polls, ..refused(Reach::Body, refusal) },
        }
    }

    /// What arrives of the body, or why it does not, and the polls that it takes.
    fn arriving(&self) -> (std::result::Result<Vec<u8>, String>, usize) {
        let mut rest = &*self.delivery.body;
        let mut body = Vec::new();
        let mut polls = 0;
        for step in script::steps(&self.frames) {
            polls += 1;
            match step {
                Step::Pending | Step::Trailers => {}
                Step::Failure | Step::Stuck => return (Err(oracle::UNREADABLE.into()), polls),
                Step::OuterLimit => return (Err(oracle::TOO_LARGE_FOR_SERVER.into()), polls),
                Step::End => return (Ok(body), polls),
                Step::Split(size) => {
                    body.extend(chunks::take(&mut rest, size));
                    body.extend(chunks::take(&mut rest, size));
                }
                Step::Data(size) => body.extend(chunks::take(&mut rest, size)),
            }
            if let Err(refusal) = self.delivery.settings.check_length(body.len()) {
                return (Err(refusal), polls);
            }
        }
        if !rest.is_empty() {
            polls += 1;
            body.extend(rest);
            if let Err(refusal) = self.delivery.settings.check_length(body.len()) {
                return (Err(refusal), polls);
            }
        }
        (Ok(body), polls + 1)
    }
}

impl<'a> Arbitrary<'a> for Exchange {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut fields = Fields::new(u.bytes(u.len())?);
        let mut exchange = Self {
            look_up: fields.field().text(),
            inner: fields.field().text(),
            frames: fields.field().text(),
            delivery: Delivery::read(fields),
        };
        // A server lets no other header through.
        exchange.delivery.headers.retain(|(name, value)| {
            http::HeaderName::from_bytes(name).is_ok()
                && http::HeaderValue::from_bytes(value).is_ok()
        });
        Ok(exchange)
    }
}
