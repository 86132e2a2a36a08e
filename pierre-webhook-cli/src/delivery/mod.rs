//! One delivery, from its first attempt to its last: what `send` and `replay` have in common.

mod expect;
mod report;
mod retry;
mod run;
mod tally;

pub(crate) use self::{
    expect::Expected,
    report::Reporter,
    retry::{Retries, RetryArgs, RetryAs},
    run::{Route, Signed},
};
