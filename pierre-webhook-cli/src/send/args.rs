//! The arguments of `send`.

use std::path::PathBuf;

use http::HeaderValue;
use jiff::SignedDuration;

use super::{header::Header, set::Set};
use crate::{
    client::{ClientArgs, Target},
    delivery::{ExpectedStatus, RetryArgs},
    payload::BodyArg,
    secrets::SecretArgs,
    time,
};

/// The arguments of `send`.
#[derive(Debug, clap::Args)]
pub(crate) struct SendArgs {
    /// The event type: push, repo.sync.started, repo.sync.succeeded or repo.sync.failed; with --body, any other
    #[arg(value_parser = event_type)]
    pub(super) event: String,
    /// The receiver, as in http://127.0.0.1:8787/webhooks. Redirects are not followed
    #[arg(required_unless_present_any = ["print_body", "scenario"])]
    pub(super) url: Option<Target>,

    /// Run the deliveries of a file: `send --scenario FILE URL`. Each line is `send EVENT [OPTION]...`,
    /// `again [--resigned]`, `wait DURATION` or a comment (#)
    #[arg(long, value_name = "FILE", help_heading = "Run", conflicts_with_all = ["body", "set", "header", "age",
        "chunked", "count", "expect", "RetryArgs", "print_body", "dry_run", "concurrency"])]
    pub(super) scenario: Option<PathBuf>,
    /// Print the payload instead of sending it; edit it, and send it with --body
    #[arg(long, conflicts_with_all = ["body", "dry_run"], help_heading = "Delivery")]
    pub(super) print_body: bool,
    /// Print the equivalent curl command instead of sending anything
    #[arg(long, help_heading = "Delivery")]
    pub(super) dry_run: bool,

    /// How many deliveries to send at the same time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..),
        help_heading = "Run")]
    pub(super) concurrency: u16,
    #[command(flatten)]
    pub(super) delivery: DeliveryArgs,
    #[command(flatten)]
    pub(super) client: ClientArgs,
    #[command(flatten)]
    pub(super) secret: SecretArgs,
}

/// What is sent, and which answer is expected.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct DeliveryArgs {
    /// Send this body as it is: a file (@file), or standard input (-)
    #[arg(long, value_name = "@FILE|-", help_heading = "Delivery")]
    pub(super) body: Option<BodyArg>,
    /// Change the payload: a JSON pointer and a JSON value, as in '/ref="refs/heads/x"'. Missing members are
    /// created. Repeatable
    #[arg(long, value_name = "POINTER=JSON", conflicts_with = "body", help_heading = "Delivery")]
    pub(super) set: Vec<Set>,
    /// Add a header, or replace a default one; 'Name:' removes it. Repeatable
    #[arg(long, value_name = "NAME: VALUE", help_heading = "Delivery")]
    pub(super) header: Vec<Header>,
    /// Backdate the signature; a negative value (--age=-2m) post-dates it
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = time::signed_duration,
        allow_hyphen_values = true, help_heading = "Delivery")]
    pub(super) age: SignedDuration,
    /// Send the body in chunks, without a Content-Length
    #[arg(long, help_heading = "Delivery")]
    pub(super) chunked: bool,
    /// How many deliveries to send. Each has its own payload, unless --body is given
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..),
        help_heading = "Run")]
    pub(super) count: u64,
    /// The expected status, as in 2xx, 401 or 2xx,409. Any other answer is a negative verdict (exit code 1)
    #[arg(long, value_name = "STATUS", default_value = "2xx", help_heading = "Run")]
    pub(super) expect: ExpectedStatus,
    #[command(flatten)]
    pub(super) retry: RetryArgs,
}

/// Accepts any header value: the receiver decides whether it is an event type.
pub(super) fn event_type(text: &str) -> Result<String, String> {
    match HeaderValue::from_str(text) {
        Ok(_) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err("not a header value".to_owned()),
    }
}
