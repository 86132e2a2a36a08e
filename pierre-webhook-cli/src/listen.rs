//! `listen`: receives deliveries, and reports whether each one verifies.

mod application;
mod args;
mod counts;
mod forward;
mod forwarded;
mod held;
mod memory;
mod pattern;
mod receive;
mod reply;
mod report;
mod route;
mod serve;
mod state;

use std::sync::Arc;

pub(crate) use self::args::ListenArgs;
use self::{serve::Ended, state::State};
use crate::{
    exit::{Exit, Failure},
    output::Output,
};

pub(crate) async fn run(args: ListenArgs, output: &Arc<Output>) -> Result<Exit, Failure> {
    let secrets = Arc::new(args.secret.read()?);
    let state = Arc::new(State::new(&args, &secrets, Arc::clone(output))?);
    let listener = serve::bind(args.bind, args.port).await?;
    let address = listener.local_addr().map_err(|error| Failure::io("cannot listen", &error))?;
    // Always the first line, so that a script can read the port from it.
    output.say(format_args!("listening on http://{address}"));
    if !address.ip().is_loopback() {
        output.warn("other machines can reach this address");
    }
    secrets.warn(output);
    let ended = serve::serve(listener, &state, args.timeout).await;
    if let Some(failure) = state.counts.take_failure() {
        return Err(failure);
    }
    let exit = state.conclude();
    Ok(match ended {
        Ended::Interrupted => Exit::Interrupted,
        Ended::TimedOut if args.count.is_some() => exit.max(Exit::Negative),
        Ended::TimedOut | Ended::Done => exit,
    })
}
