//! `send`: generates deliveries, signs and sends them.

mod args;
mod curl;
mod header;
mod run;
mod set;
mod template;

use std::sync::Arc;

pub(crate) use self::args::SendArgs;
use self::{
    run::{Run, event_time},
    template::{Bodies, Template},
};
use crate::{
    exit::{Exit, Failure},
    output::Output,
};

pub(crate) async fn run(args: SendArgs, output: &Arc<Output>) -> Result<Exit, Failure> {
    if args.print_body {
        let template = Template::new(&args.event, args.set)?;
        let json = template.print(event_time(args.age), !output.is_json())?;
        output.raw(format!("{json}\n").as_bytes())?;
        return Ok(Exit::AsExpected);
    }
    let is_dry_run = args.dry_run;
    let secrets = args.secret.read()?;
    let bodies = match &args.body {
        Some(body) => Bodies::Fixed(body.read().await?),
        None => Bodies::Generated(Template::new(&args.event, args.set.clone())?),
    };
    secrets.warn(output);
    let run = Run::new(args, bodies, secrets, Arc::clone(output))?;
    if is_dry_run { run.print_curl() } else { run.send().await }
}
