//! `listen`: receives deliveries, and says of each whether it verifies and why not.

mod answer;
mod memory;
mod receive;
mod report;
mod serve;
mod state;

use std::{
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use self::{serve::Ended, state::State};
use crate::{
    exit::{Exit, Failure},
    http::{Target, TrustArgs},
    output::Output,
    secrets::SecretArgs,
    time,
    verifier::VerifierArgs,
};

/// What `listen` can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct ListenArgs {
    /// The port to listen on; 0: one that is free
    #[arg(long, value_name = "PORT", default_value_t = 8787)]
    port: u16,
    /// The address to listen on; another than the loopback's lets others in
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    bind: IpAddr,
    /// Send each delivery on, bytes and headers as they came, and give the sender its answer
    #[arg(long, value_name = "URL", help_heading = "Forward")]
    forward_to: Option<Target>,
    /// Send on only what verifies
    #[arg(long, requires = "forward_to", help_heading = "Forward")]
    only_verified: bool,
    /// Save each delivery in this directory, to `replay` it
    #[arg(long, value_name = "DIR")]
    save: Option<PathBuf>,
    /// Answer the first N tries of each delivery with 503, to see it retried
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Faults")]
    fail: u64,
    /// Wait so long before each answer
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = time::duration, help_heading = "Faults")]
    delay: Duration,
    /// End after N deliveries
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "End")]
    count: Option<u64>,
    /// End after this time; before --count is reached, that is exit code 1
    #[arg(long, value_name = "DURATION", value_parser = time::duration, help_heading = "End")]
    timeout: Option<Duration>,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    verifier: VerifierArgs,
    #[command(flatten)]
    secret: SecretArgs,
}

pub(crate) async fn run(args: ListenArgs, output: &Arc<Output>) -> Result<Exit, Failure> {
    let secrets = args.secret.read()?;
    let state = Arc::new(State::new(&args, &secrets, Arc::clone(output))?);
    let listener = serve::bind(args.bind, args.port).await?;
    let address = listener.local_addr().map_err(|error| Failure::io("cannot listen", &error))?;
    // The first line, for whoever reads the port out of it.
    output.say(format_args!("listening on http://{address}"));
    if !address.ip().is_loopback() {
        output.warn("others than this machine can reach it");
    }
    secrets.warn(output);
    let ended = serve::serve(listener, &state, args.timeout).await;
    if let Some(failure) = state.take_failure() {
        return Err(failure);
    }
    let exit = state.conclude();
    Ok(match ended {
        Ended::Interrupted => Exit::Interrupted,
        Ended::TimedOut if args.count.is_some() => exit.max(Exit::Negative),
        Ended::TimedOut | Ended::Counted => exit,
    })
}
