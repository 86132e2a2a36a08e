//! The deliveries, and the requests that carry them.

use std::time::{SystemTime, UNIX_EPOCH};

use pierre_webhook_core::{
    DeliveryHeaders, DeliveryId, EVENT_HEADER, SIGNATURE_HEADER, Secret, Verifier,
};
use pierre_webhook_tests::{client::Request, sample::secret};

const EVENT: &str = "ping";

/// A number of deliveries, counted from zero, each with a different body.
pub(crate) struct Deliveries {
    pub(crate) count: usize,
    secret: Secret,
}

impl Deliveries {
    pub(crate) fn new(count: usize) -> Self {
        Self { count, secret: secret() }
    }

    /// Returns the request with this number as it is sent, signed now.
    pub(crate) fn request(&self, number: usize) -> Vec<u8> {
        Request::delivery(EVENT, &self.signature(number), body(number)).with_content_length()
    }

    pub(crate) fn ids(&self) -> Vec<DeliveryId> {
        let verifier = Verifier::new(self.secret.clone()).any_age();
        let id = |number| {
            let signature = self.signature(number);
            let headers = [(SIGNATURE_HEADER, &*signature), (EVENT_HEADER, EVENT)];
            let headers = DeliveryHeaders::parse(headers).expect("headers");
            verifier.verify(&headers, body(number).into()).expect("a delivery").id()
        };
        (0..self.count).map(id).collect()
    }

    fn signature(&self, number: usize) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
        self.secret.sign(now.as_secs(), body(number).as_bytes())
    }
}

fn body(number: usize) -> String {
    format!(r#"{{"number":{number}}}"#)
}
