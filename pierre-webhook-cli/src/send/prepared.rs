//! The deliveries that one command line, or one line of a scenario, asks for.

use std::sync::Arc;

use bytes::Bytes;
use http::{Extensions, HeaderMap, HeaderValue, Method, header};
use jiff::{SignedDuration, Timestamp};
use pierre_webhook_core::{EVENT_HEADER, SIGNATURE_HEADER};

use super::{
    args::DeliveryArgs,
    header::{self as headers, Header},
    template::{Bodies, Template},
};
use crate::{
    client::{Client, ClientArgs, Outgoing, SHORT_ANSWER, Target},
    delivery::{AttemptReporter, Retries, RetryAs, Route, SignedRequest},
    exit::Failure,
    payload::Seed,
    secrets::Secrets,
    time,
};

/// Deliveries that are ready to be signed.
pub(super) struct Prepared {
    event: String,
    pub(super) args: DeliveryArgs,
    bodies: Bodies,
    secrets: Arc<Secrets>,
    pub(super) route: Route,
}

/// Returns the time of an event: a delivery is signed when its event happens.
pub(super) fn event_time(age: SignedDuration) -> Timestamp {
    let now = Timestamp::now();
    now.checked_sub(age).unwrap_or(now)
}

impl Prepared {
    /// Fails before anything is sent if a body can't be read or generated.
    pub(super) async fn new(
        event: String,
        args: DeliveryArgs,
        secrets: Arc<Secrets>,
        (client, target): (&ClientArgs, &Target),
        seed: Seed,
    ) -> Result<Self, Failure> {
        let bodies = match &args.body {
            Some(body) => Bodies::Fixed(body.read().await?),
            None => Bodies::Generated(Template::new(&event, args.set.clone(), seed)?),
        };
        let route = Route {
            client: Client::new(client.timeout, &client.trust, target, SHORT_ANSWER)?,
            target: target.clone(),
            expected: args.expect.clone(),
            retries: Retries::from(&args.retry),
        };
        let prepared = Self { event, args, bodies, secrets, route };
        prepared.body(1)?;
        Ok(prepared)
    }

    /// Returns the body of the `n`th delivery.
    pub(super) fn body(&self, n: u64) -> Result<Bytes, Failure> {
        self.bodies.body(n, event_time(self.args.age))
    }

    /// Sends the `n`th delivery and its retries.
    pub(super) async fn deliver(
        &self,
        n: u64,
        body: &Bytes,
        signed: SignedRequest,
        reporter: &AttemptReporter,
    ) -> Result<(), Failure> {
        let resign = || self.sign(body);
        let resign: Option<&(dyn Fn() -> SignedRequest + Sync)> = match self.args.retry.retry_as {
            RetryAs::Same => None,
            RetryAs::Resigned => Some(&resign),
        };
        let outcome = self.route.deliver(n, signed, resign, reporter).await?;
        reporter.ended(outcome);
        Ok(())
    }

    /// Signs a delivery with the current time minus its age.
    pub(super) fn sign(&self, body: &Bytes) -> SignedRequest {
        let signature = self.secrets.signing().sign(time::signed_at(self.args.age), body);
        let headers = request_headers(&self.event, &signature, &self.args.header);
        SignedRequest::new(Outgoing {
            method: Method::POST,
            headers,
            body: body.clone(),
            is_chunked: self.args.chunked,
            extensions: Extensions::new(),
        })
    }
}

/// Returns the documented headers of a delivery, changed by those of the command line.
fn request_headers(event: &str, signature: &str, given: &[Header]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static("Pierre-Webhook/1.0"));
    for (name, value) in [(EVENT_HEADER, event), (SIGNATURE_HEADER, signature)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    headers::apply(&headers, given)
}
