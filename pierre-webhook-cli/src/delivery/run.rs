//! The attempts of a delivery, one after the other.

use pierre_webhook_core::{DeliveryHeaders, DeliveryId};

use super::{expect::Expected, report::Reporter, retry::Retries, tally::Outcome};
use crate::{
    exit::Failure,
    http::{Client, Outgoing, Target},
};

/// Where deliveries go, and what is made of the answers.
pub(crate) struct Route {
    pub(crate) client: Client,
    pub(crate) target: Target,
    pub(crate) expected: Expected,
    pub(crate) retries: Retries,
}

/// A delivery that is ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    pub(crate) request: Outgoing,
    /// `None` where its event header is none.
    pub(crate) id: Option<DeliveryId>,
    /// `None` where its signature header is none.
    pub(crate) signed_at: Option<u64>,
}

impl Signed {
    /// What the request's own headers say of it.
    pub(crate) fn of(request: Outgoing) -> Self {
        let id = DeliveryHeaders::parse_event_type(&request.headers)
            .ok()
            .map(|event_type| DeliveryId::of(event_type, &request.body));
        let signed_at =
            DeliveryHeaders::parse(&request.headers).ok().map(|headers| headers.timestamp());
        Self { request, id, signed_at }
    }
}

impl Route {
    /// Sends the `n`th delivery until its answer is as expected or its retries are used up. `resign` makes what
    /// a retry sends; without it, a retry is the same request again.
    pub(crate) async fn deliver(
        &self,
        n: u64,
        mut delivery: Signed,
        resign: Option<&(dyn Fn() -> Signed + Sync)>,
        reporter: &Reporter,
    ) -> Result<Outcome, Failure> {
        let mut attempt = 0_u32;
        loop {
            attempt = attempt.saturating_add(1);
            let answer = self.client.exchange(&self.target, delivery.request.clone()).await;
            let outcome = match &answer {
                Ok(answer) if self.expected.includes(answer.status) => Outcome::AsExpected,
                Ok(_) => Outcome::Unexpected,
                Err(_) => Outcome::Unreachable,
            };
            let pause = match outcome {
                Outcome::AsExpected => None,
                _ => {
                    self.retries.pause(attempt, answer.as_ref().ok().map(|answer| &answer.headers))
                }
            };
            reporter.attempt(n, attempt, &delivery, &answer, outcome, pause)?;
            let Some(pause) = pause else {
                return Ok(outcome);
            };
            tokio::time::sleep(pause).await;
            if let Some(resign) = resign {
                delivery = resign();
            }
        }
    }
}
