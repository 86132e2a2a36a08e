//! Sends a delivery and retries it.

use super::{
    attempt::Attempt, expected_status::ExpectedStatus, report::AttemptReporter, retry::Retries,
    signed_request::SignedRequest, tally::Outcome,
};
use crate::{
    client::{Answer, Client, NoAnswer, Target},
    exit::Failure,
};

/// Where deliveries go, which answers are expected, and when to retry.
pub(crate) struct Route {
    pub(crate) client: Client,
    pub(crate) target: Target,
    pub(crate) expected: ExpectedStatus,
    pub(crate) retries: Retries,
}

impl Route {
    /// Sends the `n`th delivery until it gets an expected answer or runs out of retries. `resign` makes the request
    /// of each retry; without it, the same request is sent again.
    pub(crate) async fn deliver(
        &self,
        n: u64,
        mut delivery: SignedRequest,
        resign: Option<&(dyn Fn() -> SignedRequest + Sync)>,
        reporter: &AttemptReporter,
    ) -> Result<Outcome, Failure> {
        let mut number = 0_u32;
        loop {
            number = number.saturating_add(1);
            let answer = self.client.exchange(&self.target, delivery.request.clone()).await;
            let outcome = self.outcome(&answer);
            let pause = match outcome {
                Outcome::AsExpected => None,
                _ => self.retries.pause(number, answer.as_ref().ok().map(|answer| &answer.headers)),
            };
            let request = &delivery;
            reporter.attempt(&Attempt { n, number, request, answer: &answer, outcome, pause })?;
            let Some(pause) = pause else {
                return Ok(outcome);
            };
            tokio::time::sleep(pause).await;
            if let Some(resign) = resign {
                delivery = resign();
            }
        }
    }

    fn outcome(&self, answer: &Result<Answer, NoAnswer>) -> Outcome {
        match answer {
            Ok(answer) if self.expected.includes(answer.status) => Outcome::AsExpected,
            Ok(_) => Outcome::Unexpected,
            Err(_) => Outcome::Unreachable,
        }
    }
}
