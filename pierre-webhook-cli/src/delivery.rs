//! Sends deliveries and retries them, for `send` and `replay`.

pub(crate) mod answer_text;
mod attempt;
mod expected_status;
mod report;
mod retry;
mod route;
mod signed_request;
mod summary;
mod tally;

pub(crate) use self::{
    expected_status::ExpectedStatus,
    report::AttemptReporter,
    retry::{Retries, RetryArgs, RetryAs},
    route::Route,
    signed_request::SignedRequest,
};
