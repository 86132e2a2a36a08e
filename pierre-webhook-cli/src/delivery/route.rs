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
            let outcome = outcome(&answer, &self.expected);
            let pause = match outcome {
                Outcome::AsExpected => None,
                _ => self.retries.pause(number, answer.as_ref().ok().map(|answer| &answer.headers)),
            };
            let (request, expected) = (&delivery, &self.expected);
            reporter.attempt(&Attempt {
                n,
                number,
                request,
                answer: &answer,
                outcome,
                expected,
                pause,
            })?;
            let Some(pause) = pause else {
                return Ok(outcome);
            };
            tokio::time::sleep(pause).await;
            if let Some(resign) = resign {
                delivery = resign();
            }
        }
    }

    /// Sends a delivery once, and expects an answer of its own.
    pub(crate) async fn deliver_once(
        &self,
        n: u64,
        delivery: SignedRequest,
        expected: &ExpectedStatus,
        reporter: &AttemptReporter,
    ) -> Result<Outcome, Failure> {
        let answer = self.client.exchange(&self.target, delivery.request.clone()).await;
        let outcome = outcome(&answer, expected);
        let (request, answer, number, pause) = (&delivery, &answer, 1, None);
        reporter.attempt(&Attempt { n, number, request, answer, outcome, expected, pause })?;
        Ok(outcome)
    }
}

fn outcome(answer: &Result<Answer, NoAnswer>, expected: &ExpectedStatus) -> Outcome {
    match answer {
        Ok(answer) if expected.includes(answer.status) => Outcome::AsExpected,
        Ok(_) => Outcome::Unexpected,
        Err(_) => Outcome::Unreachable,
    }
}
