//! `send`: generates deliveries, signs and sends them.

mod args;
mod curl;
mod header;
mod prepared;
mod run;
mod scenario;
mod set;
mod template;

use std::sync::Arc;

pub(crate) use self::args::SendArgs;
use self::{
    prepared::{Prepared, event_time},
    template::Template,
};
use crate::{
    exit::{Exit, Failure},
    output::Output,
    payload::Seed,
};

pub(crate) async fn run(mut args: SendArgs, output: &Arc<Output>) -> Result<Exit, Failure> {
    if let Some(path) = args.scenario.take() {
        return scenario::run(args, &path, output).await;
    }
    let seed = Seed::random()?;
    if args.print_body {
        let template = Template::new(&args.event, args.delivery.set, seed)?;
        let json = template.print(event_time(args.delivery.age), !output.is_json())?;
        output.raw(format!("{json}\n").as_bytes())?;
        return Ok(Exit::AsExpected);
    }
    let target = args.url.ok_or_else(|| Failure::usage("no URL"))?;
    let secrets = Arc::new(args.secret.read()?);
    let receiver = (&args.client, &target);
    let prepared =
        Prepared::new(args.event, args.delivery, Arc::clone(&secrets), receiver, seed).await?;
    secrets.warn(output);
    if args.dry_run {
        run::print_curl(&prepared, &args.client, output)
    } else {
        run::send(prepared, args.concurrency, output).await
    }
}
