//! The arguments of `listen`.

use std::{
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    time::Duration,
};

use clap::ArgGroup;

use super::{pattern::Pattern, route::Route};
use crate::{
    client::{Target, TrustArgs},
    secrets::SecretArgs,
    time,
    verifier::VerifierArgs,
};

/// The arguments of `listen`.
#[derive(Debug, clap::Args)]
pub(crate) struct ListenArgs {
    /// The port to listen on; 0 picks a free one
    #[arg(long, value_name = "PORT", default_value_t = 8787)]
    pub(super) port: u16,
    /// The address to listen on. Any but a loopback address is open to other machines
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub(super) bind: IpAddr,
    /// Show, save, forward and count only these events, as in push,repo.sync.*. Others are answered as if they were
    /// shown
    #[arg(long, value_name = "EVENT", value_delimiter = ',')]
    pub(super) events: Vec<Pattern>,
    /// Save each delivery to this directory, for `replay` and `explain`
    #[arg(long, value_name = "DIR")]
    pub(super) save: Option<PathBuf>,
    /// Answer the first N attempts at each delivery with 503, to make the sender retry
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Faults")]
    pub(super) fail: u64,
    /// Wait this long before each answer
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = time::duration, help_heading = "Faults")]
    pub(super) delay: Duration,
    /// Stop after N deliveries
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "End")]
    pub(super) count: Option<u64>,
    /// Stop after this time. If that is before --count is reached, the exit code is 1
    #[arg(long, value_name = "DURATION", value_parser = time::duration, help_heading = "End")]
    pub(super) timeout: Option<Duration>,
    #[command(flatten)]
    pub(super) forward: ForwardArgs,
    #[command(flatten)]
    pub(super) verifier: VerifierArgs,
    #[command(flatten)]
    pub(super) secret: SecretArgs,
}

/// Where deliveries are forwarded to.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Forward", group = ArgGroup::new("application").multiple(true))]
pub(super) struct ForwardArgs {
    /// Forward each delivery, byte for byte, and return the answer to the sender
    #[arg(long, value_name = "URL", group = "application")]
    pub(super) forward_to: Option<Target>,
    /// Forward an event, or a path, to a URL of its own, as in push=http://127.0.0.1:3000/push or
    /// /deploy/*=http://127.0.0.1:3001/. Repeatable: the first that matches is used, and --forward-to gets the rest
    #[arg(long, value_name = "EVENT=URL", group = "application")]
    pub(super) forward: Vec<Route>,
    /// Forward only deliveries that verify
    #[arg(long, requires = "application")]
    pub(super) only_verified: bool,
    /// Show the application's answer: its headers and the start of its body
    #[arg(long, requires = "application")]
    pub(super) show_answer: bool,
    /// While the application is down, answer 202, and deliver when it is back, in order. What verified is signed again,
    /// because it may be too old by then. Up to 1,000 deliveries and 64 MiB; above that, the answer is 503
    #[arg(long, requires = "application")]
    pub(super) hold: bool,
    #[command(flatten)]
    pub(super) trust: TrustArgs,
}
