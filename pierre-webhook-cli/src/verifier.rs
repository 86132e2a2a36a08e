//! Core's verifier, configured on the command line.

use std::time::Duration;

use pierre_webhook_core::Verifier;

use crate::{secrets::Secrets, time};

/// The settings of the verifier.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Verification")]
pub(crate) struct VerifierArgs {
    /// The maximum age of a delivery's signature
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = time::duration)]
    pub(crate) max_age: Duration,
    /// Accept a delivery of any age
    #[arg(long, conflicts_with = "max_age")]
    pub(crate) any_age: bool,
    /// The largest accepted body: a number of bytes, or a size such as 64KiB or 2MiB
    #[arg(long, value_name = "BYTES", default_value = "1MiB", value_parser = bytes)]
    pub(crate) body_limit: usize,
}

impl VerifierArgs {
    pub(crate) fn verifier(&self, secrets: &Secrets) -> Verifier {
        let verifier = Verifier::new(secrets.signing().clone()).body_limit(self.body_limit);
        let verifier = secrets.others().cloned().fold(verifier, Verifier::or_secret);
        if self.any_age { verifier.any_age() } else { verifier.max_age(self.max_age) }
    }
}

fn bytes(text: &str) -> Result<usize, String> {
    let (digits, unit) = match text {
        _ if text.ends_with("KiB") => (text.trim_end_matches("KiB"), 1 << 10),
        _ if text.ends_with("MiB") => (text.trim_end_matches("MiB"), 1 << 20),
        _ => (text, 1_usize),
    };
    let number: Option<usize> = digits.parse().ok();
    number
        .and_then(|number| number.checked_mul(unit))
        .ok_or_else(|| "not a number of bytes such as 4096, 64KiB or 2MiB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_limit_is_in_bytes_or_has_a_unit() {
        assert_eq!(bytes("0"), Ok(0));
        assert_eq!(bytes("4096"), Ok(4096));
        assert_eq!(bytes("64KiB"), Ok(65536));
        assert_eq!(bytes("2MiB"), Ok(2 << 20));
        for wrong in ["", "-1", "1MB", "MiB", "99999999999999999999MiB"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }
}
