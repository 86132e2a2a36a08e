//! Asks before it attacks a host other than this machine.

use std::{
    io::{self, BufRead as _, IsTerminal as _},
    net::IpAddr,
};

use crate::{
    client::Target,
    escape,
    exit::{Failure, until_interrupted},
    output::Output,
};

/// Returns an error unless the host is this machine, `--yes` is given, or the user agrees.
pub(super) async fn ask(target: &Target, yes: bool, output: &Output) -> Result<(), Failure> {
    let host = target.host();
    if yes || is_loopback(host) {
        return Ok(());
    }
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Err(Failure::usage(format!("{host} is not this machine: attack it with --yes")));
    }
    output.say(format_args!(
        "{} is not this machine. Attack it only if it is yours. Continue? [y/N]",
        escape::text(host)
    ));
    // The read blocks, so it gets its own thread, and Ctrl-C ends the wait.
    let reading = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    let read = until_interrupted(reading).await.ok_or_else(Failure::interrupted)?;
    match read {
        Ok(Ok(line)) if ["y", "yes"].contains(&line.trim().to_lowercase().as_str()) => Ok(()),
        _ => Err(Failure::usage("not attacked")),
    }
}

/// Judges the name or address itself: a DNS answer could change afterwards.
fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_localhost_and_loopback_addresses_need_no_consent() {
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"]
        {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["example.com", "localhost.example.com", "10.0.0.1", "0.0.0.0", "::", "::2"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
